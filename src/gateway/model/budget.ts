import { HubError } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { GatewaySession } from "../session.ts";

/** What calls that are still running may come to, at the most. */
export interface Spend {
  tokens: number;
  costUsd: number;
}

/** What a session, and all with whom it shares a budget, may use and have used; kept in the store. */
export interface Budget {
  /** Throws `budget_exceeded` when what was recorded and what is in flight together have reached a limit. */
  check(sessionId: Id, inFlight: { own: Spend; shared: Spend }): Promise<void>;
}

/** Lets model calls begin while the budget allows it. */
export interface BudgetGate {
  /**
   * Resolves when the call may begin; the answer must be called when its usage is recorded. Throws `budget_exceeded`.
   *
   * A call's cost is known only afterwards. Calls that run side by side count with the most they may come to; a call
   * that does not fit beside them waits until one of them has ended, and is then judged by what it really cost. So a
   * session passes its limit by the cost of one call at the most, however many it makes at once, and a call that runs
   * alone is never refused because of an estimate. The same holds of all sessions that share a budget, for each hub
   * that they are at work with.
   */
  enter(session: GatewaySession, most: Spend, signal: AbortSignal): Promise<() => void>;
}

interface Running {
  calls: number;
  spend: Spend;
  waiting: Set<() => void>;
  /** When the last call ended, by `performance.now()`. */
  endedAt: number;
}

const NOTHING: Spend = { tokens: 0, costUsd: 0 };

export function createBudgetGate(options: {
  budget: Budget;
  /** Calls of one session at the same time, and how many more may wait. */
  maxCalls: number;
  maxWaiting: number;
}): BudgetGate {
  /** By session, and by what sessions share a budget in. */
  const known = new Map<string, Running>();
  /** When the last call of those that have none any more ended. */
  let forgottenAt = 0;

  function runningOf(id: string): Running {
    const found = known.get(id) ?? {
      calls: 0,
      spend: { ...NOTHING },
      waiting: new Set<() => void>(),
      endedAt: 0,
    };
    known.set(id, found);
    return found;
  }

  function forget(id: string): void {
    const running = known.get(id);
    if (running === undefined || running.calls > 0 || running.waiting.size > 0) return;
    known.delete(id);
    forgottenAt = Math.max(forgottenAt, running.endedAt);
  }

  /** `began`: the call has cost something. One that was only asked about wakes nobody who would ask the same again. */
  function leave(id: string, most: Spend, began: boolean): void {
    const running = runningOf(id);
    running.calls -= 1;
    running.endedAt = performance.now();
    running.spend.tokens -= most.tokens;
    running.spend.costUsd -= most.costUsd;
    if (running.calls === 0) {
      // Rounding must not pile up.
      running.spend = { ...NOTHING };
      forget(id);
    }
    if (began || running.calls === 0) for (const wake of running.waiting) wake();
  }

  /** The end of a call of any of these. */
  async function nextEnd(ids: string[], signal: AbortSignal): Promise<void> {
    const places = ids.map(runningOf);
    if ((places[0]?.waiting.size ?? 0) >= options.maxWaiting)
      throw new HubError("rate_limited", "Too many model calls at once", { retryAfterSeconds: 5 });
    await new Promise<void>((resolve) => {
      const wake = () => {
        for (const { waiting } of places) waiting.delete(wake);
        for (const id of ids) forget(id);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      for (const { waiting } of places) waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  return {
    async enter(session, most, signal) {
      const { sessionId, sharesWith = [] } = session;
      const ids = [sessionId, ...sharesWith];
      for (;;) {
        signal.throwIfAborted();
        const own = runningOf(sessionId);
        if (own.calls >= options.maxCalls) {
          await nextEnd([sessionId], signal);
          continue;
        }
        const all = ids.map(runningOf);
        // Reserved before the question, so that two calls that ask at once see each other.
        const inFlight = {
          own: { ...own.spend },
          // The most of any: who waits for less than has to is turned away by nobody.
          shared: mostOf(sharesWith.map((id) => runningOf(id).spend)),
        };
        const alone = all.every(({ calls }) => calls === 0);
        for (const running of all) {
          running.calls += 1;
          running.spend.tokens += most.tokens;
          running.spend.costUsd += most.costUsd;
        }
        const leaveAll = (began: boolean) => {
          for (const id of ids) leave(id, most, began);
        };
        try {
          // What was read with the token still holds while no call has ended since; of others it said nothing.
          const isFresh = session.readAt > Math.max(own.endedAt, forgottenAt);
          if (sharesWith.length > 0 || !isFresh || !fits(session, inFlight.own))
            await options.budget.check(sessionId, inFlight);
          return () => leaveAll(true);
        } catch (error) {
          leaveAll(false);
          const full = error instanceof HubError && error.code === "budget_exceeded";
          if (!full || alone) throw error;
          if (all.some(({ calls }) => calls > 0)) await nextEnd(ids, signal);
        }
      }
    },
  };
}

function mostOf(spends: Spend[]): Spend {
  return {
    tokens: Math.max(0, ...spends.map(({ tokens }) => tokens)),
    costUsd: Math.max(0, ...spends.map(({ costUsd }) => costUsd)),
  };
}

function fits({ policy, spent }: GatewaySession, inFlight: Spend): boolean {
  const { maxTokens, maxCostUsd } = policy;
  return (
    (maxTokens === null || spent.tokens + inFlight.tokens < maxTokens) &&
    (maxCostUsd === null || spent.costUsd + inFlight.costUsd < maxCostUsd)
  );
}
