import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import { createBell } from "../events/bell.ts";
import type { ClaimedDelivery, DeliveryQueue } from "../store/deliveries/delivery-queue.ts";

/** What came of a delivery, in one sentence. */
export interface Outcome {
  state: "done" | "ignored";
  outcome: string;
}

export interface WorkerSettings {
  /** Deliveries worked off at the same time. */
  lanes: number;
  /** How long after a hub's sudden end another one begins with what it was at. */
  leaseMs: number;
  /** After so many it is given up. */
  attempts: number;
  /** How often it looks for itself: for those that another hub took in, and for those that were put off. */
  pollMs: number;
}

/** Works off deliveries until it is disposed of. */
export interface DeliveryWorker extends AsyncDisposable {
  /** Says that there is a new one. */
  ring(): void;
}

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 900_000;

/** @param handle Safe to repeat: a crash makes it begin again. */
export async function startDeliveryWorker(options: {
  queue: DeliveryQueue;
  executorId: string;
  handle(delivery: ClaimedDelivery): Promise<Outcome>;
  settings: WorkerSettings;
  clock: Clock;
  log: Logger;
}): Promise<DeliveryWorker> {
  const { queue, executorId, settings, clock, log } = options;
  const closing = new AbortController();
  const bell = createBell(closing.signal);
  const busy = new Map<number, Promise<void>>();
  const closed = new Promise<never>((_, reject) => {
    closing.signal.addEventListener("abort", () => reject(new Error("the hub ends")), {
      once: true,
    });
  });
  // Nobody has to be at work when it ends.
  closed.catch(() => undefined);
  await queue.release(executorId);

  async function workOff(delivery: ClaimedDelivery): Promise<void> {
    try {
      // Whoever closes does not wait for the forge.
      const { state, outcome } = await Promise.race([options.handle(delivery), closed]);
      await queue.finish(delivery, { executorId, state, outcome, at: clock.now() });
    } catch (error) {
      // What is not finished is begun again when the hub comes back.
      if (!closing.signal.aborted) await fail(delivery, error);
    }
  }

  async function fail(delivery: ClaimedDelivery, error: unknown): Promise<void> {
    const { deliveryId, event, attempts } = delivery;
    const reference = randomBytes(6).toString("hex");
    const known = error instanceof HubError;
    const outcome = known ? error.message : `something went wrong (reference ${reference})`;
    const givesUp = attempts >= settings.attempts || (known && !error.retryable);
    const facts = { err: error, deliveryId, event, attempts, reference };
    log[givesUp ? "error" : "warn"](facts, givesUp ? "delivery failed" : "delivery is put off");
    if (givesUp) {
      await queue.finish(delivery, { executorId, state: "failed", outcome, at: clock.now() });
      return;
    }
    const asked = known ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
    const pauseMs = Math.max(
      asked,
      Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1)),
    );
    const dueAt = new Date(clock.now().getTime() + pauseMs);
    await queue.postpone(delivery, { executorId, outcome, dueAt });
  }

  function begin(delivery: ClaimedDelivery): void {
    const work = workOff(delivery)
      .catch((error: unknown) =>
        log.error({ err: error, deliveryId: delivery.deliveryId }, "delivery could not be settled"),
      )
      .finally(() => {
        busy.delete(delivery.number);
        // The next one of its thread may be worked off now.
        bell.ring();
      });
    busy.set(delivery.number, work);
  }

  async function takeUp(): Promise<void> {
    const limit = settings.lanes - busy.size;
    if (limit <= 0) return;
    const { leaseMs } = settings;
    for (const one of await queue.claim({ executorId, limit, leaseMs })) begin(one);
  }

  async function renew(): Promise<void> {
    if (busy.size === 0) return;
    try {
      await queue.renew({ executorId, numbers: [...busy.keys()], leaseMs: settings.leaseMs });
    } catch (error) {
      log.warn({ err: error }, "claims of deliveries could not be renewed");
    }
  }

  const timer = setInterval(() => bell.ring(), settings.pollMs).unref();
  const renewing = setInterval(() => void renew(), settings.leaseMs / 3).unref();
  const running = (async () => {
    let failures = 0;
    while (!closing.signal.aborted) {
      try {
        await takeUp();
        failures = 0;
      } catch (error) {
        failures += 1;
        const level = failures % 100 === 1 ? "error" : "debug";
        log[level]({ err: error, failures }, "deliveries could not be taken up");
      }
      await bell.rung();
    }
    await Promise.all(busy.values());
  })();

  return {
    ring: () => bell.ring(),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      clearInterval(renewing);
      closing.abort();
      await running;
      bell.close();
    },
  };
}
