import type { Logger } from "pino";
import type { HubError } from "../core/errors.ts";
import type { Id } from "../core/id.ts";

/** What a door would not do for a session. */
export interface Denial {
  sessionId: Id;
  door: "git" | "model" | "tools";
  reason: string;
  /** How often so far. */
  count: number;
}

/** Tells of requests that a door turned away, so that no session can fill its log with them. */
export type Deny = (sessionId: Id, error: HubError) => void;

const REASONS_TOLD = 20;
const SESSIONS_KEPT = 1_000;
/** Waiting one's turn, a budget or an upstream's failure is no misdeed, and has events of its own. */
const MISDEEDS: ReadonlySet<HubError["code"]> = new Set([
  "forbidden",
  "not_found",
  "payload_too_large",
]);

/** The first of each sort is told, then the 10th, the 100th and so on. The answer does not wait for the log. */
export function createDenials(options: {
  door: Denial["door"];
  onDenial(denial: Denial): Promise<void>;
  log: Logger;
}): Deny {
  const counts = new Map<Id, Map<string, number>>();
  return (sessionId, error) => {
    if (!MISDEEDS.has(error.code)) return;
    const own = counts.get(sessionId) ?? new Map<string, number>();
    counts.set(sessionId, own);
    const [oldest] = counts.keys();
    if (counts.size > SESSIONS_KEPT && oldest !== undefined) counts.delete(oldest);
    const reason = error.message;
    if (!own.has(reason) && own.size >= REASONS_TOLD) return;
    const count = (own.get(reason) ?? 0) + 1;
    own.set(reason, count);
    if (!/^10*$/.test(String(count))) return;
    options
      .onDenial({ sessionId, door: options.door, reason, count })
      // A session that ends this very moment has a log that takes nothing more.
      .catch((failure: unknown) => options.log.warn({ err: failure }, "denial not told"));
  };
}
