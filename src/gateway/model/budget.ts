import { HubError } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { GatewaySession } from "../session.ts";

/** What calls that are still running may come to, at the most. */
export interface Spend {
  tokens: number;
  costUsd: number;
}

/** A session's budget and what it has used; kept in the store. */
export interface Budget {
  /** Throws `budget_exceeded` when what was recorded and `inFlight` together have reached a limit. */
  check(sessionId: Id, inFlight: Spend): Promise<void>;
}

/** Lets model calls begin while the budget allows it. */
export interface BudgetGate {
  /**
   * Resolves when the call may begin; the answer must be called when its usage is recorded. Throws `budget_exceeded`.
   *
   * A call's cost is known only afterwards. Calls that run side by side count with the most they may come to; a call
   * that does not fit beside them waits until one of them has ended, and is then judged by what it really cost. So a
   * session passes its limit by the cost of one call at the most, however many it makes at once, and a call that runs
   * alone is never refused because of an estimate.
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

export function createBudgetGate(options: {
  budget: Budget;
  /** Calls of one session at the same time, and how many more may wait. */
  maxCalls: number;
  maxWaiting: number;
}): BudgetGate {
  const sessions = new Map<Id, Running>();
  /** When the last call of sessions that have none any more ended. */
  let forgottenAt = 0;

  /** `began`: the call has cost something. One that was only asked about wakes nobody who would ask the same again. */
  function leave(sessionId: Id, running: Running, most: Spend, began: boolean): void {
    running.calls -= 1;
    running.endedAt = performance.now();
    running.spend.tokens -= most.tokens;
    running.spend.costUsd -= most.costUsd;
    if (running.calls === 0) {
      // Rounding must not pile up.
      running.spend = { tokens: 0, costUsd: 0 };
      if (running.waiting.size === 0) {
        sessions.delete(sessionId);
        forgottenAt = running.endedAt;
      }
    }
    if (began || running.calls === 0) for (const wake of running.waiting) wake();
  }

  async function nextEnd(running: Running, signal: AbortSignal): Promise<void> {
    if (running.waiting.size >= options.maxWaiting)
      throw new HubError("rate_limited", "Too many model calls at once", { retryAfterSeconds: 5 });
    await new Promise<void>((resolve) => {
      const wake = () => {
        running.waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      running.waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  return {
    async enter(session, most, signal) {
      const { sessionId } = session;
      for (;;) {
        signal.throwIfAborted();
        const running = sessions.get(sessionId) ?? {
          calls: 0,
          spend: { tokens: 0, costUsd: 0 },
          waiting: new Set<() => void>(),
          endedAt: 0,
        };
        sessions.set(sessionId, running);
        if (running.calls >= options.maxCalls) {
          await nextEnd(running, signal);
          continue;
        }
        // Reserved before the question, so that two calls that ask at once see each other.
        const inFlight = { ...running.spend };
        const alone = running.calls === 0;
        running.calls += 1;
        running.spend.tokens += most.tokens;
        running.spend.costUsd += most.costUsd;
        try {
          // What was read with the token still holds while no call has ended since.
          const isFresh = session.readAt > Math.max(running.endedAt, forgottenAt);
          if (!isFresh || !fits(session, inFlight)) await options.budget.check(sessionId, inFlight);
          return () => leave(sessionId, running, most, true);
        } catch (error) {
          leave(sessionId, running, most, false);
          const full = error instanceof HubError && error.code === "budget_exceeded";
          if (!full || alone) throw error;
          if (running.calls > 0) await nextEnd(running, signal);
        }
      }
    },
  };
}

function fits({ policy, spent }: GatewaySession, inFlight: Spend): boolean {
  const { maxTokens, maxCostUsd } = policy;
  return (
    (maxTokens === null || spent.tokens + inFlight.tokens < maxTokens) &&
    (maxCostUsd === null || spent.costUsd + inFlight.costUsd < maxCostUsd)
  );
}
