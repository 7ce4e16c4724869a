import { HubError } from "../../core/errors.ts";

const FIRST_MS = 5_000;
/** Up to here pauses double, then they grow by a quarter: nobody waits much longer than GitHub was away. */
const SHORT_MS = 20_000;
const LONGEST_MS = 300_000;
const GROWTH = 1.25;
/** More than a day, with those pauses. */
const MAX_FAILURES = 320;
/** About four hours: a right that was taken away may come back. What stays open, GitHub ends after 14 days, as stale. */
const MAX_REFUSALS = 58;

/** How long until a check is tried again that could not be shown, in milliseconds; null: never. */
export function pauseMs(error: unknown, failures: number): number | null {
  const isRefused = error instanceof HubError && !error.retryable;
  if (failures >= (isRefused ? MAX_REFUSALS : MAX_FAILURES)) return null;
  const askedMs = error instanceof HubError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  return Math.max(askedMs, grownMs(failures));
}

function grownMs(failures: number): number {
  const doubled = FIRST_MS * 2 ** failures;
  if (doubled <= SHORT_MS) return doubled;
  const steps = failures - Math.log2(SHORT_MS / FIRST_MS);
  return Math.min(LONGEST_MS, Math.round(SHORT_MS * GROWTH ** steps));
}
