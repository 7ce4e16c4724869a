import type { Event } from "../core/event.ts";
import type { Id } from "../core/id.ts";
import { createBatch } from "../store/batch.ts";
import type { EventStore } from "../store/log/events.ts";
import type { Notifications } from "../store/notifications.ts";
import { createBell } from "./bell.ts";
import type { Bell } from "./bell.ts";

/** Reads logs while they grow. */
export interface EventFeed {
  /**
   * What the log holds after `afterSeq`, then what is appended, in batches and without gaps. Ends with the session's
   * last event (`session.completed`, `session.failed`, `session.cancelled`) or when `signal` aborts. A reader that
   * is slower than the log makes nobody wait: it reads on from the store.
   */
  follow(sessionId: Id, afterSeq: number, signal: AbortSignal): AsyncIterable<Event[]>;
}

const EVENTS_A_READ = 500;
const LAST_KINDS: readonly string[] = ["session.completed", "session.failed", "session.cancelled"];

export function createEventFeed(options: {
  store: EventStore;
  notifications: Notifications;
}): EventFeed {
  const { store } = options;
  const bells = new Map<Id, Set<Bell>>();
  options.notifications.on("claude_hub_events", (sessionId) => {
    const ringing = sessionId === null ? bells.values() : [bells.get(sessionId) ?? []];
    for (const set of ringing) for (const bell of set) bell.ring();
  });

  // Followers that wake at the same time share one statement.
  const read = createBatch<{ sessionId: Id; seq: number }, Event[]>({
    maxItems: 200,
    maxWaiting: 10_000,
    run: (positions) => store.readManyAfter(positions, EVENTS_A_READ),
  });

  function listen(sessionId: Id, bell: Bell): () => void {
    const set = bells.get(sessionId) ?? new Set();
    bells.set(sessionId, set.add(bell));
    return () => {
      set.delete(bell);
      if (set.size === 0 && bells.get(sessionId) === set) bells.delete(sessionId);
    };
  }

  return {
    async *follow(sessionId, afterSeq, signal) {
      const bell = createBell(signal);
      const stopListening = listen(sessionId, bell);
      try {
        let position = afterSeq;
        let closed: boolean | undefined;
        while (!signal.aborted) {
          const events = await read({ sessionId, seq: position });
          const last = events.at(-1);
          if (last === undefined) {
            if (closed === true) return;
            // Asked once, for who reads on from the very end; a log that closes later says so by its last event.
            // It may have got that event since it was read, so an ended one is read once more.
            if (closed === undefined) closed = await store.isClosed(sessionId);
            else await bell.rung();
            continue;
          }
          position = last.seq;
          yield events;
          if (events.some(({ kind }) => LAST_KINDS.includes(kind))) return;
        }
      } finally {
        stopListening();
        bell.close();
      }
    },
  };
}
