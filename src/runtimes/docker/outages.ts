const BEFORE_MS = 30_000;
const AFTER_MS = 10_000;

/** Remembers when the engine was last away, to tell why a container ended. */
export function createOutages(now: () => number = Date.now) {
  let answeredAt = now();
  let awayFrom: number | null = null;
  let last: { from: number; to: number } | null = null;

  return {
    answered(): void {
      answeredAt = now();
      if (awayFrom === null) return;
      last = { from: awayFrom, to: answeredAt };
      awayFrom = null;
    },
    away(): void {
      awayFrom ??= answeredAt;
    },
    /** An engine ends its containers before it goes, or ends what it finds when it comes back. */
    explains(at: number): boolean {
      return last !== null && last.from - BEFORE_MS <= at && at <= last.to + AFTER_MS;
    },
  };
}
export type Outages = ReturnType<typeof createOutages>;
