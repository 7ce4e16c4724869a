import { rateLimited } from "../../core/errors.ts";
import type { Event } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { HttpContext, HttpDeps } from "../deps.ts";
import { whileGood } from "../good.ts";
import { eventStream } from "./sse.ts";

export const EVENT_STREAM = "text/event-stream";
export const NDJSON = "application/x-ndjson";
const PAGE = 500;

/** A session's log as a response: while it grows, or as far as it has grown. */
export interface EventStreams {
  follow(c: HttpContext, id: Id, after: number): Promise<Response>;
  soFar(c: HttpContext, id: Id, after: number): Response;
}

export function createEventStreams(
  deps: Pick<HttpDeps, "feed" | "events" | "tokens" | "settings" | "log">,
): EventStreams {
  const { feed, events, settings } = deps;
  let open = 0;

  /** The answer has begun, so it cannot say what went wrong; cut off, it cannot be taken for complete. */
  function cutOff(c: HttpContext, id: Id, error: unknown): void {
    deps.log.warn({ err: error, sessionId: id }, "events could not be read");
    c.env.outgoing.destroy();
  }

  return {
    async follow(c, id, after) {
      if (after > 0 && (await events.isClosed(id))) {
        // Whoever comes back after the end is told not to come again.
        const rest = await events.readAfter(id, after, 1);
        if (rest.length === 0) return new Response(null, { status: 204 });
      }
      if (open >= settings.sseConnections) throw rateLimited("open event streams", 10);
      open += 1;
      const good = whileGood(c.get("access"), {
        tokens: deps.tokens,
        everyMs: settings.sseHeartbeatMs,
        log: deps.log,
      });
      return eventStream({
        batches: (signal) => feed.follow(id, after, AbortSignal.any([signal, good.signal])),
        heartbeatMs: settings.sseHeartbeatMs,
        onError: (error) => cutOff(c, id, error),
        onEnd: () => {
          good.stop();
          open -= 1;
        },
      });
    },
    soFar(c, id, after) {
      let position = after;
      const encoder = new TextEncoder();
      const stream = new ReadableStream({
        // Page by page, at the reader's pace.
        async pull(controller) {
          try {
            const page = await events.readAfter(id, position, PAGE);
            position = page.at(-1)?.seq ?? position;
            if (page.length > 0) controller.enqueue(encoder.encode(page.map(line).join("")));
            if (page.length < PAGE) controller.close();
          } catch (error) {
            cutOff(c, id, error);
            controller.close();
          }
        },
      });
      return new Response(stream, { headers: { "content-type": NDJSON } });
    },
  };
}

function line(event: Event): string {
  return `${JSON.stringify(event)}\n`;
}
