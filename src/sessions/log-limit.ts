import type { EventBody, EventKind, NewEvent } from "../core/event.ts";
import type { Id } from "../core/id.ts";
import type { Append, EventStore, LogEnd } from "../store/log/events.ts";

/** What the runner itself says at the end of its work; not the agent's to multiply. */
const ALWAYS: readonly EventKind[] = [
  "agent.exited",
  "commit.created",
  "changes.collected",
  "conversation.lost",
];
/** Of each of these. */
const MOST_OF_EACH = 200;
/** What a row takes besides its body, roughly. */
const ROW_BYTES = 100;
/** Sessions whose count is kept in memory; others are counted anew. */
const KEPT = 10_000;

interface Account {
  bytes: number;
  /** Of the last event of the runner that was counted. */
  runnerSeq: number;
  told: boolean;
  always: number;
}

/** Keeps one session's log from filling the disk: what comes after so many bytes is acknowledged, and not kept. */
export interface LogLimit {
  append(id: Id, events: (NewEvent & { runnerSeq: number })[]): Promise<LogEnd>;
  /** Whether one more entry of the hub itself, about what an agent does, still has room. */
  hasRoom(id: Id, body: EventBody): Promise<boolean>;
}

export function createLogLimit(events: EventStore, limitBytes: number): LogLimit {
  const accounts = new Map<Id, Account>();

  async function accountOf(id: Id): Promise<Account> {
    const known = accounts.get(id);
    if (known !== undefined) return known;
    const { bytes, rows } = await events.size(id);
    const { runnerSeq } = await events.end(id);
    const account = { bytes: bytes + rows * ROW_BYTES, runnerSeq, told: false, always: 0 };
    // Another request may have counted meanwhile.
    const current = accounts.get(id) ?? account;
    accounts.set(id, current);
    const [oldest] = accounts.keys();
    if (accounts.size > KEPT && oldest !== undefined) accounts.delete(oldest);
    return current;
  }

  function keep(account: Account, event: NewEvent & { runnerSeq: number }): boolean {
    // One that comes again has been counted.
    if (event.runnerSeq <= account.runnerSeq) return true;
    account.runnerSeq = event.runnerSeq;
    if (account.bytes < limitBytes) {
      account.bytes += sizeOf(event.body);
      return true;
    }
    return ALWAYS.includes(event.kind) && (account.always += 1) <= MOST_OF_EACH;
  }

  return {
    async append(id, given) {
      const account = await accountOf(id);
      const kept: Append["events"] = given.filter((event) => keep(account, event));
      const lost = given.length - kept.length;
      if (lost > 0 && !account.told) {
        account.told = true;
        const reason = `the log has reached its limit of ${limitBytes} bytes: what the agent says from here on is not kept`;
        kept.push({
          at: given.at(-1)?.at ?? "",
          kind: "events.dropped",
          body: { count: lost, reason },
        });
      }
      try {
        const end = kept.length === 0 ? null : await events.append({ sessionId: id, events: kept });
        const last = given.at(-1)?.runnerSeq ?? 0;
        return end !== null && end.runnerSeq >= last ? end : await events.skip(id, last);
      } catch (error) {
        // What of it was stored is not known.
        accounts.delete(id);
        throw error;
      }
    },
    async hasRoom(id, body) {
      const account = await accountOf(id);
      if (account.bytes >= limitBytes) return false;
      account.bytes += sizeOf(body);
      return true;
    },
  };
}

function sizeOf(body: EventBody): number {
  return JSON.stringify(body).length + ROW_BYTES;
}
