import { leastBounds, limitText, NO_BOUNDS, remainingOf, usedUp } from "../../core/budget.ts";
import type { Bounds } from "../../core/budget.ts";
import type { Id } from "../../core/id.ts";
import { sharesOf } from "../../store/spending/budgets.ts";
import type { Shared } from "../../store/spending/budgets.ts";
import type { Tx } from "../../store/database.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { dayOf } from "../budgets/budget-watch.ts";
import type { SessionDeps } from "../deps.ts";

interface Grants {
  begin: { session: StoredSession; left: Bounds }[];
  refuse: { id: Id; why: string }[];
}

/** What sessions that are to get a slot find left of the budgets that they share; those that find nothing do not begin. */
export async function grantsFor(
  tx: Tx,
  deps: Pick<SessionDeps, "clock" | "settings">,
  sessions: StoredSession[],
): Promise<Grants> {
  const asked = sessions.map(({ id, orchestrationId, project: { repository } }) => ({
    id,
    orchestrationId,
    repository,
  }));
  const shares = await sharesOf(tx, asked, dayOf(deps));
  const grants: Grants = { begin: [], refuse: [] };
  for (const session of sessions) {
    const shared = shares.get(session.id) ?? [];
    const why = shared.map(refusalOf).find((reason) => reason !== null) ?? null;
    if (why !== null) grants.refuse.push({ id: session.id, why });
    else {
      const left = shared
        .map(({ bounds, used }) => remainingOf(bounds, used))
        .reduce(leastBounds, NO_BOUNDS);
      grants.begin.push({ session, left: inWholeTokens(left) });
    }
  }
  return grants;
}

function refusalOf({ scope, bounds, used }: Shared): string | null {
  const excess = usedUp(bounds, used);
  if (excess === null) return null;
  return scope === "orchestration"
    ? `The budget of its orchestration (${limitText(excess)}) was used up before it began`
    : `Its repository's budget for today (${limitText(excess)}) was used up, or set aside, before it began`;
}

function inWholeTokens(left: Bounds): Bounds {
  return left.tokens === null ? left : { ...left, tokens: Math.max(1, Math.floor(left.tokens)) };
}
