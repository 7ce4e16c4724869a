import { invalidRequest } from "../../core/errors.ts";
import { limitText, NO_BOUNDS, remainingOf } from "../../core/budget.ts";
import type { Bounds, BudgetView } from "../../core/budget.ts";
import { budgetView } from "../../core/budget.ts";
import type { Id } from "../../core/id.ts";
import type { SessionBudget } from "../../core/session.ts";
import { sharedSpending } from "../../store/spending/budgets.ts";
import { asHubError } from "../../store/failure.ts";
import type { SessionDeps } from "../deps.ts";

/** What the sessions of an orchestration may use together. */
export interface SharedBudgets {
  /** What is left for all that have not ended and those that are yet to come; null: no limit. */
  remaining(orchestrationId: Id): Promise<Bounds>;
  /** Limits, what was used, what remains. */
  view(orchestrationId: Id): Promise<BudgetView>;
  /** Throws `invalid_request` when more is asked for a session than remains. */
  refuseBigger(orchestrationId: Id, asked: SessionBudget | undefined): Promise<void>;
}

type Deps = Pick<SessionDeps, "database" | "clock">;

export function createSharedBudgets(deps: Deps): SharedBudgets {
  async function spent(id: Id) {
    const { db } = deps.database;
    const found = await sharedSpending(db, [id], deps.clock.now()).catch((error: unknown) => {
      throw asHubError(error);
    });
    return found.get(id) ?? { bounds: NO_BOUNDS, used: { costUsd: 0, tokens: 0, minutes: 0 } };
  }

  async function remaining(id: Id): Promise<Bounds> {
    const { bounds, used } = await spent(id);
    return remainingOf(bounds, used);
  }

  return {
    remaining,
    async view(id) {
      const { bounds, used } = await spent(id);
      return budgetView(bounds, used);
    },
    async refuseBigger(id, asked) {
      if (asked === undefined) return;
      const left = await remaining(id);
      for (const what of ["costUsd", "tokens", "minutes"] as const) {
        const [wanted, limit] = [asked[what], left[what]];
        if (wanted !== undefined && limit !== null && wanted > limit)
          throw invalidRequest(
            `options.budget.${what}`,
            `is more than the ${limitText({ what, limit })} that remain of the orchestration's budget`,
          );
      }
    },
  };
}
