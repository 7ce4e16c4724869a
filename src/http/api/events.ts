import { HubError } from "../../core/errors.ts";
import type { Event } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { HttpDeps } from "../deps.ts";
import { eventStream } from "./sse.ts";

const PAGE = 500;

/** A session's log as a response: while it grows, or as far as it has grown. */
export interface EventStreams {
  follow(id: Id, after: number): Promise<Response>;
  soFar(id: Id, after: number): Response;
}

export function createEventStreams({
  feed,
  events,
  settings,
}: Pick<HttpDeps, "feed" | "events" | "settings">): EventStreams {
  let open = 0;

  return {
    async follow(id, after) {
      if (after > 0 && (await events.isClosed(id))) {
        // Whoever comes back after the end is told not to come again.
        const rest = await events.readAfter(id, after, 1);
        if (rest.length === 0) return new Response(null, { status: 204 });
      }
      if (open >= settings.sseConnections)
        throw new HubError("rate_limited", "Too many event streams are open", {
          retryAfterSeconds: 10,
        });
      open += 1;
      return eventStream({
        batches: (signal) => feed.follow(id, after, signal),
        heartbeatMs: settings.sseHeartbeatMs,
        onEnd: () => (open -= 1),
      });
    },
    soFar(id, after) {
      let position = after;
      const encoder = new TextEncoder();
      const stream = new ReadableStream({
        // Page by page, at the reader's pace.
        async pull(controller) {
          const page = await events.readAfter(id, position, PAGE);
          const last = page.at(-1);
          if (last === undefined) {
            controller.close();
            return;
          }
          position = last.seq;
          controller.enqueue(encoder.encode(page.map(line).join("")));
          if (page.length < PAGE) controller.close();
        },
      });
      return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
    },
  };
}

function line(event: Event): string {
  return `${JSON.stringify(event)}\n`;
}
