/**
 * GitHub's clock, as its answers tell it. It believes an App only by a JWT that is made by that clock, and its tokens end
 * by it; the hub's own may be hours away.
 */
export interface ForgeTime {
  /** Milliseconds since 1970, there. */
  now(): number;
  /** When that is on the hub's clock. */
  toOwn(theirs: Date): Date;
  /** Takes what the header `Date` of an answer says that was asked for at `askedAt` (milliseconds, here). */
  hear(date: string | null, askedAt: number): void;
}

/** The header has whole seconds, and an answer takes its time: less than this apart is together. */
const SAME_MS = 5_000;

export function createForgeTime(own: () => number = Date.now): ForgeTime {
  let aheadMs = 0;
  return {
    now: () => own() + aheadMs,
    toOwn: (theirs) => new Date(theirs.getTime() - aheadMs),
    hear(date, askedAt) {
      const theirs = Date.parse(date ?? "");
      if (Number.isNaN(theirs)) return;
      // Somewhere between the question and the answer.
      const isNear = theirs >= askedAt - SAME_MS && theirs <= own() + SAME_MS;
      aheadMs = isNear ? 0 : theirs - own();
    },
  };
}
