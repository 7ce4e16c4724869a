const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long after each failure it is tried again; after the last one it is given up, more than a day later. */
const WAITS_MS = [
  5_000,
  30_000,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
];
/** A part of each wait is left to chance, so that not all come back at once after an outage. */
const SPREAD = 0.1;

/** What became of one try. */
export type Answer =
  /** `status`: null when there was none. */
  | { kind: "answered"; status: number; retryAfterMs: number | null }
  | { kind: "unreachable"; reason: string }
  /** It must not be sent there. */
  | { kind: "refused"; reason: string };

export type Fate =
  | { kind: "told"; outcome: string }
  | { kind: "again"; outcome: string; waitMs: number }
  | { kind: "given up"; outcome: string };

/**
 * What comes after a try.
 * @param attempts How many there have been, this one included.
 */
export function fateOf(answer: Answer, attempts: number, random = Math.random()): Fate {
  if (answer.kind === "refused") return { kind: "given up", outcome: answer.reason };
  const waitMs = WAITS_MS[attempts - 1];
  if (answer.kind === "unreachable") return again(answer.reason, waitMs, null, random);
  const { status, retryAfterMs } = answer;
  const outcome = `answered ${status}`;
  if (status >= 200 && status < 300) return { kind: "told", outcome };
  // Gone: who answers so wants no more of it.
  if (status === 410) return { kind: "given up", outcome };
  if (status >= 300 && status < 400)
    return { kind: "given up", outcome: `${outcome}: redirects are not followed` };
  return again(outcome, waitMs, retryAfterMs, random);
}

function again(
  outcome: string,
  usualMs: number | undefined,
  retryAfterMs: number | null,
  random: number,
): Fate {
  if (usualMs === undefined) return { kind: "given up", outcome };
  const askedMs = Math.min(retryAfterMs ?? 0, HOUR_MS);
  const waitMs = Math.round(Math.max(usualMs, askedMs) * (1 + SPREAD * random));
  return { kind: "again", outcome, waitMs };
}
