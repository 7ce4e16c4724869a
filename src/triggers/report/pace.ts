import type { Id } from "../../core/id.ts";

/** When live comments may be written: GitHub counts what one installation writes together, 80 a minute and 500 an hour. */
export interface Pace {
  /** Whether the comment of this session may be edited now; if so, that counts. `live`: how many there are. */
  mayEdit(sessionId: Id, live: number): boolean;
  /** Whether a session's comment may be made now; if so, that counts. Of one that still waits, there is little to tell. */
  mayBegin(waits: boolean): boolean;
  /** What cannot wait has been written. */
  count(): void;
}

const SHORTEST_MS = 5_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Of the hour's, shared out evenly among those that live. */
const EDITS_PER_HOUR = 300;
/** The rest is for what cannot wait. Edits leave more of it than beginnings. */
const EDITS = { perMinute: 40, perHour: 350 };
const BEGINNINGS = { perMinute: 60, perHour: 430 };
/** When many wait, they are told of when they run or have ended: one write in place of two. */
const QUEUED = { perMinute: 20, perHour: 60 };

/** @param now Milliseconds. */
export function createPace(now: () => number): Pace {
  const edited = new Map<Id, number>();
  let writes: number[] = [];

  function hasRoom({ perMinute, perHour }: { perMinute: number; perHour: number }): boolean {
    const at = now();
    writes = writes.filter((one) => at - one < HOUR_MS);
    const lately = writes.filter((one) => at - one < MINUTE_MS).length;
    return lately < perMinute && writes.length < perHour;
  }
  const count = () => void writes.push(now());

  return {
    mayEdit(sessionId, live) {
      const at = now();
      const pauseMs = Math.max(SHORTEST_MS, (HOUR_MS / EDITS_PER_HOUR) * Math.max(1, live - 1));
      for (const [id, last] of edited) if (at - last > HOUR_MS) edited.delete(id);
      if (at - (edited.get(sessionId) ?? -Infinity) < pauseMs || !hasRoom(EDITS)) return false;
      edited.set(sessionId, at);
      count();
      return true;
    },
    mayBegin(waits) {
      if (!hasRoom(waits ? QUEUED : BEGINNINGS)) return false;
      count();
      return true;
    },
    count,
  };
}
