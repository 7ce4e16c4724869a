import { setTimeout as sleep } from "node:timers/promises";
import type { IncomingHttpHeaders } from "node:http";
import type { Id } from "../../core/id.ts";

/** The provider takes no calls for a while. */
export interface ProviderLimit {
  sessionId: Id;
  status: number;
  until: Date;
}

export interface LimitWatch {
  /** A call is waiting at the door until then. */
  onWait(limit: ProviderLimit): Promise<void>;
  /** It takes longer than a call can wait. False: the session cannot be paused. */
  onPause(limit: ProviderLimit): Promise<boolean>;
  /** How long a call may wait in all. */
  waitMs: number;
}

/** 429: too much was asked of it; 529: it is overloaded. Source: https://docs.anthropic.com/en/api/errors. */
const LIMITED = [429, 529];
/** Agents try again by themselves; one that was turned away so often, with no word of when, had better pause. */
const PATIENCE = 5;
const UNKNOWN_MS = 300_000;
const SESSIONS_KEPT = 1_000;
/** No word of a provider's is believed beyond this. */
const LONGEST_MS = 7 * 86_400_000;

/** Waits for a provider that says when it takes calls again, and has sessions paused that would wait for too long. */
export function createProviderLimits({ onWait, onPause, waitMs }: LimitWatch) {
  /** How often each session was turned away, one time after the other, without being told when. */
  const turnedAway = new Map<Id, number>();

  function patienceOf(sessionId: Id): number {
    const count = (turnedAway.get(sessionId) ?? 0) + 1;
    turnedAway.delete(sessionId);
    turnedAway.set(sessionId, count);
    const [oldest] = turnedAway.keys();
    if (turnedAway.size > SESSIONS_KEPT && oldest !== undefined) turnedAway.delete(oldest);
    return count;
  }

  return {
    /** For one call; `again`: whether the call is to be sent once more, after a wait. */
    forCall(sessionId: Id, signal: AbortSignal) {
      let waitedMs = 0;
      return {
        async again(status: number, headers: IncomingHttpHeaders): Promise<boolean> {
          if (!LIMITED.includes(status)) {
            turnedAway.delete(sessionId);
            return false;
          }
          const now = Date.now();
          const resetMs = resetOf(headers, now);
          if (resetMs === null) {
            if (patienceOf(sessionId) < PATIENCE) return false;
            turnedAway.delete(sessionId);
            await onPause({ sessionId, status, until: new Date(now + UNKNOWN_MS) });
            return false;
          }
          const limit = { sessionId, status, until: new Date(resetMs) };
          const needsMs = Math.max(LEAST_MS, resetMs - now);
          if (waitedMs + needsMs > waitMs) {
            await onPause(limit);
            return false;
          }
          await onWait(limit);
          waitedMs += needsMs;
          await sleep(needsMs, undefined, { signal });
          return true;
        },
      };
    },
  };
}
const LEAST_MS = 100;

export type ProviderLimits = ReturnType<typeof createProviderLimits>;

/** `anthropic-ratelimit-requests-reset`, `-input-tokens-reset`, `-unified-reset` and others. */
const RESET = /^anthropic-ratelimit-(.+)-reset$/;

/**
 * When calls are taken again, in milliseconds since 1970; null: it does not say. What `retry-after` says goes before; else
 * the latest reset of what is used up, or the soonest of all.
 */
export function resetOf(headers: IncomingHttpHeaders, now: number): number | null {
  const after = momentOf(headers["retry-after"], now);
  if (after !== null) return after;
  const resets = Object.entries(headers).flatMap(([name, value]) => {
    const what = RESET.exec(name)?.[1];
    const at = what === undefined ? null : momentOf(value, now);
    const isUsedUp = headers[`anthropic-ratelimit-${what}-remaining`] === "0";
    return at === null ? [] : [{ at, isUsedUp }];
  });
  const used = resets.filter(({ isUsedUp }) => isUsedUp).map(({ at }) => at);
  if (used.length > 0) return Math.max(...used);
  return resets.length === 0 ? null : Math.min(...resets.map(({ at }) => at));
}

/** Seconds from now or since 1970, or a date in the form of HTTP or of RFC 3339. */
function momentOf(value: string | string[] | undefined, now: number): number | null {
  const text = (Array.isArray(value) ? value[0] : value)?.trim() ?? "";
  if (text === "") return null;
  const seconds = /^\d{1,12}(\.\d+)?$/.test(text) ? Number(text) : null;
  const at = seconds === null ? Date.parse(text) : seconds * 1_000 + (seconds > EPOCH ? 0 : now);
  if (Number.isNaN(at)) return null;
  return Math.min(Math.max(at, now), now + LONGEST_MS);
}
/** A number of seconds beyond this is a moment. */
const EPOCH = 1_000_000_000;
