import { HubError } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import { startRounds } from "../events/rounds.ts";
import { advance, end } from "./advance.ts";
import type { FinishedWork, OrchestrationDeps } from "./deps.ts";

/** Brings orchestrations on when their sessions have ended, until it is disposed of. */
export interface Conductor extends AsyncDisposable {
  /** Says that there is something new. */
  ring(): void;
}

const AT_ONCE = 100;
const ATTEMPTS = 8;

export function startConductor(
  deps: OrchestrationDeps,
  { executorId, leaseMs, pollMs }: { executorId: string; leaseMs: number; pollMs: number },
): Conductor {
  const { store, clock, log } = deps;

  async function look(signal: AbortSignal): Promise<void> {
    for (const id of await store.abandoned(AT_ONCE)) await cancelAbandoned(id);
    for (const id of await store.due(AT_ONCE, clock.now())) {
      if (signal.aborted) return;
      try {
        const work = await advance(deps, id);
        if (work !== null && (await store.claim(id, { executorId, leaseMs })))
          await publish(id, work);
      } catch (error) {
        // The others do not wait for it.
        log.error({ err: error, orchestrationId: id }, "an orchestration could not be moved on");
        await store.putOff(id, { now: clock.now(), leastMs: 0 });
      }
    }
  }

  async function cancelAbandoned(id: Id): Promise<void> {
    try {
      await deps.graphs.cancel(id, () => Promise.resolve(true));
    } catch (error) {
      log.error({ err: error, orchestrationId: id }, "an orchestration could not be cancelled");
    }
  }

  async function publish(id: Id, work: FinishedWork): Promise<void> {
    try {
      const pullRequestUrl = (await deps.publish?.(work)) ?? null;
      await end(deps, id, { pullRequestUrl });
    } catch (error) {
      const known = error instanceof HubError;
      const leastMs = known ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
      const failures = await store.putOff(id, { now: clock.now(), leastMs });
      const givesUp = failures >= ATTEMPTS || (known && !error.retryable);
      log.warn({ err: error, orchestrationId: id, givesUp }, "the pull request was not opened");
      if (!givesUp) return;
      const reason = known ? error.message : "something went wrong";
      await end(deps, id, { note: `the pull request could not be opened: ${reason}` });
    }
  }

  return startRounds({
    round: look,
    pollMs,
    failed: "orchestrations could not be seen to",
    log,
  });
}
