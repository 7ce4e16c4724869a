import { setTimeout as pause } from "node:timers/promises";
import { boundedBody } from "../core/event.ts";
import type { EventBody, EventKind } from "../core/event.ts";
import { EventBatchAnswer } from "../core/job.ts";
import { LIMITS } from "../core/limits.ts";
import type { GatewayClient } from "./gateway.ts";

/**
 * Events on their way to the hub. They wait in memory, not on disk: a disk that the agent has filled would lose
 * them, and a runner that dies is never started again, so a file would have no reader.
 */
export interface Outbox {
  add(kind: EventKind, body: EventBody): void;
  /** Number of the last event. */
  lastSeq(): number;
  /** Resolves when everything that was added has arrived; rejects when the hub wants no more. */
  flush(): Promise<void>;
  /** Rejects when sending has failed for good. */
  failed: Promise<never>;
}

/** Events that come close together travel together. */
const GATHER_MS = 2;
const SEND_MS = 30_000;

interface Waiting {
  seq: number;
  /** As JSON, made once. */
  text: string;
}

export function createOutbox(options: {
  gateway: GatewayClient;
  maxBytes: number;
  /** Until when the hub is waited for (milliseconds since 1970); asked before each batch. */
  untilMs: () => number;
}): Outbox {
  const { gateway, maxBytes, untilMs } = options;
  let waiting: Waiting[] = [];
  let bytes = 0;
  let seq = 0;
  let dropped = 0;
  let sending: Promise<void> | null = null;
  let over = false;
  const failure = Promise.withResolvers<never>();
  // It may fail while nobody listens; whoever flushes learns of it.
  failure.promise.catch(() => undefined);

  function put(kind: EventKind, body: EventBody): void {
    seq += 1;
    const event = { seq, at: new Date().toISOString(), kind, body: boundedBody(body) };
    const text = JSON.stringify(event);
    waiting.push({ seq, text });
    bytes += text.length;
  }

  function add(kind: EventKind, body: EventBody): void {
    // Nobody will take it: it must not pile up while the agent is being ended.
    if (over) return;
    if (bytes > maxBytes) {
      dropped += 1;
      return;
    }
    countDropped();
    put(kind, body);
    sending ??= send();
  }

  function countDropped(): void {
    if (dropped === 0) return;
    put("events.dropped", { count: dropped, reason: "the hub was away for too long" });
    dropped = 0;
  }

  async function send(): Promise<void> {
    try {
      await pause(GATHER_MS);
      while (waiting.length > 0) {
        const events = takeBatch(waiting);
        const { ackedSeq } = await gateway.call(EventBatchAnswer, {
          method: "POST",
          path: "/runner/events",
          body: `{"events":[${events.map(({ text }) => text).join(",")}]}`,
          timeoutMs: SEND_MS,
          untilMs: untilMs(),
        });
        const left = waiting.filter((event) => event.seq > ackedSeq);
        bytes = left.reduce((sum, { text }) => sum + text.length, 0);
        waiting = left;
      }
      sending = null;
    } catch (error) {
      over = true;
      failure.reject(error);
    }
  }

  return {
    add,
    lastSeq: () => seq,
    async flush() {
      // What was dropped last has no event after it that would bring the count along.
      if (dropped > 0 && !over) {
        countDropped();
        sending ??= send();
      }
      // The failure first: sending has ended then, too, and a race goes to the first of those that are settled.
      for (let current = sending; current !== null; current = sending)
        await Promise.race([failure.promise, current]);
    },
    failed: failure.promise,
  };
}

function takeBatch(waiting: readonly Waiting[]): Waiting[] {
  const batch: Waiting[] = [];
  let bytes = 0;
  for (const event of waiting) {
    bytes += Buffer.byteLength(event.text) + 1;
    if (batch.length === LIMITS.eventsPerBatch) break;
    if (batch.length > 0 && bytes > LIMITS.batchBytes - 1_024) break;
    batch.push(event);
  }
  return batch;
}
