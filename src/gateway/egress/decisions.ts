import type { EventBody } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";

export interface Decision {
  kind: "egress.allowed" | "egress.refused";
  host: string;
  port: number | null;
  reason?: string;
}

/** Tells decisions as events, so that a flood of them cannot fill a log. */
export interface Decisions {
  /** Resolves when the event is in the log, if this one becomes an event. */
  tell(sessionId: Id, decision: Decision): Promise<void>;
  /** Sessions that anything is known of. */
  sessions(): Id[];
  forget(sessionId: Id): void;
}

export type RecordDecision = (
  sessionId: Id,
  kind: Decision["kind"],
  body: EventBody,
) => Promise<void>;

/** Different decisions of one session that are told apart. */
const MAX_KEYS = 100;

/**
 * The first decision of each sort is an event, then the 10th, the 100th and so on, each with the count so far. What is
 * too various to be told apart is counted as one sort.
 */
export function createDecisions(record: RecordDecision): Decisions {
  const counts = new Map<Id, Map<string, number>>();

  return {
    async tell(sessionId, decision) {
      const own = counts.get(sessionId) ?? new Map<string, number>();
      counts.set(sessionId, own);
      const { kind, ...full } = decision;
      const asked = JSON.stringify(decision);
      const isOther = !own.has(asked) && own.size >= MAX_KEYS;
      const body = isOther ? OTHERS : full;
      const key = isOther ? kind : asked;
      const count = (own.get(key) ?? 0) + 1;
      own.set(key, count);
      if (/^10*$/.test(String(count))) await record(sessionId, kind, { ...body, count });
    },
    sessions: () => [...counts.keys()],
    forget: (sessionId) => void counts.delete(sessionId),
  };
}

const OTHERS = { host: "other hosts", port: null, reason: "too many to be told one by one" };
