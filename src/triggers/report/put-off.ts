import { HubError } from "../../core/errors.ts";

/** After a failure, before the next try; doubled each time. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

/** How long (milliseconds) nothing is tried again after so many failures; what the forge asks for counts. */
export function pauseAfter(failures: number, error: unknown): number {
  const askedMs = error instanceof HubError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  return Math.max(askedMs, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)));
}
