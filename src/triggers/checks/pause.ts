import { HubError } from "../../core/errors.ts";

const FIRST_MS = 5_000;
const LONGEST_MS = 600_000;
/** About a day and a half, with those pauses. */
const MAX_FAILURES = 200;
/** About four hours: a right that was taken away may come back. What stays open, GitHub ends after 14 days, as stale. */
const MAX_REFUSALS = 30;

/** How long until a check is tried again that could not be shown, in milliseconds; null: never. */
export function pauseMs(error: unknown, failures: number): number | null {
  const isRefused = error instanceof HubError && !error.retryable;
  if (failures >= (isRefused ? MAX_REFUSALS : MAX_FAILURES)) return null;
  const askedMs = error instanceof HubError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  return Math.max(askedMs, Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10)));
}
