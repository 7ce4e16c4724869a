import { setTimeout as pause } from "node:timers/promises";
import type { Event } from "../../core/event.ts";

/**
 * Events as server-sent events, at the reader's pace: nothing is read from the log before the reader has taken what
 * came before. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function eventStream(options: {
  batches(signal: AbortSignal): AsyncIterable<Event[]>;
  heartbeatMs: number;
  /** The log could not be read; the stream says nothing more. */
  onError(error: unknown): void;
  /** However it ended. */
  onEnd(): void;
}): Response {
  const gone = new AbortController();
  const batches = options.batches(gone.signal)[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let pending: Promise<IteratorResult<Event[]>> | null = null;
  let ended = false;

  function end(): void {
    if (ended) return;
    ended = true;
    gone.abort();
    // A log that waits for its reader does not hear the signal.
    void batches.return?.().catch(options.onError);
    options.onEnd();
  }

  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      // At once, so that the reader knows that it is connected.
      controller.enqueue(encoder.encode("retry: 1000\n\n"));
    },
    async pull(controller) {
      try {
        pending ??= batches.next();
        const next = await orHeartbeat(pending, options.heartbeatMs);
        if (next === null) {
          controller.enqueue(encoder.encode(": still here\n\n"));
          return;
        }
        pending = null;
        if (next.done === true) {
          end();
          controller.close();
        } else controller.enqueue(encoder.encode(next.value.map(message).join("")));
      } catch (error) {
        end();
        options.onError(error);
        controller.close();
      }
    },
    cancel: end,
  });
  return new Response(stream, {
    headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
  });
}

async function orHeartbeat<Value>(next: Promise<Value>, afterMs: number): Promise<Value | null> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      next,
      pause(afterMs, null, { signal: timer.signal }).catch(() => null),
    ]);
  } finally {
    timer.abort();
  }
}

function message(event: Event): string {
  return `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;
}
