import type { Event } from "../../../src/core/event.ts";
import type { HttpDeps } from "../../../src/http/deps.ts";

/** A log in memory that can be appended to, with the number of those who follow it. */
export function createEventLog() {
  const events: Event[] = [];
  const wake = new Set<() => void>();
  let followers = 0;
  let batches = 0;
  const isClosed = () => events.at(-1)?.kind === "session.completed";
  const deps: Pick<HttpDeps, "events" | "feed"> = {
    events: {
      readAfter: (_, seq, limit) =>
        Promise.resolve(events.filter((event) => event.seq > seq).slice(0, limit)),
      isClosed: () => Promise.resolve(isClosed()),
    },
    feed: {
      async *follow(_, after, signal) {
        followers += 1;
        try {
          for (let position = after; !signal.aborted;) {
            const next = events.slice(position, position + 500);
            position += next.length;
            if (next.length > 0) {
              batches += 1;
              yield next;
            } else if (isClosed()) return;
            else
              await new Promise<void>((resolve) => {
                wake.add(resolve);
                signal.addEventListener("abort", () => resolve(), { once: true });
              });
          }
        } finally {
          followers -= 1;
        }
      },
    },
  };
  return {
    events,
    deps,
    followers: () => followers,
    batches: () => batches,
    append(kind: Event["kind"], body: Event["body"] = {}): void {
      events.push({ seq: events.length + 1, at: new Date(0).toISOString(), kind, body });
      for (const resolve of wake) resolve();
      wake.clear();
    },
  };
}
