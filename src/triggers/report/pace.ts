import type { Id } from "../../core/id.ts";

/** When live comments may be edited: GitHub counts edits of one installation together. */
export interface Pace {
  /** Whether the comment of this session may be edited now; if so, that counts. `live`: how many there are. */
  mayEdit(sessionId: Id, live: number): boolean;
}

const SHORTEST_MS = 5_000;
/** Of the 500 an hour that GitHub allows; the rest is for what cannot wait. */
const PER_HOUR = 300;
const HOUR_MS = 3_600_000;

/** @param now Milliseconds. */
export function createPace(now: () => number): Pace {
  const edited = new Map<Id, number>();
  return {
    mayEdit(sessionId, live) {
      const at = now();
      const pauseMs = Math.max(SHORTEST_MS, (HOUR_MS / PER_HOUR) * Math.max(1, live - 1));
      for (const [id, last] of edited) if (at - last > HOUR_MS) edited.delete(id);
      if (at - (edited.get(sessionId) ?? -Infinity) < pauseMs) return false;
      edited.set(sessionId, at);
      return true;
    },
  };
}
