import { limitText, NO_BOUNDS, remainingOf, usedUp } from "../core/budget.ts";
import type { Bounds } from "../core/budget.ts";
import type { Id } from "../core/id.ts";
import { sharedSpending } from "../store/budgets.ts";
import type { Tx } from "../store/database.ts";
import type { StoredSession } from "../store/session-row.ts";
import type { SessionDeps } from "./deps.ts";

interface Grants {
  begin: { session: StoredSession; left: Bounds }[];
  refuse: { id: Id; why: string }[];
}

/** What sessions that are to get a slot find left of the budgets that they share; those that find nothing do not begin. */
export async function grantsFor(
  tx: Tx,
  { clock }: Pick<SessionDeps, "clock">,
  sessions: StoredSession[],
): Promise<Grants> {
  const ids = sessions.map(({ orchestrationId }) => orchestrationId).filter((id) => id !== null);
  const shared = await sharedSpending(tx, [...new Set(ids)], clock.now());
  const grants: Grants = { begin: [], refuse: [] };
  for (const session of sessions) {
    const all = session.orchestrationId === null ? undefined : shared.get(session.orchestrationId);
    const used = all === undefined ? null : usedUp(all.bounds, all.used);
    if (used !== null)
      grants.refuse.push({
        id: session.id,
        why: `The budget of its orchestration (${limitText(used)}) was used up before it began`,
      });
    else {
      const left = all === undefined ? NO_BOUNDS : remainingOf(all.bounds, all.used);
      grants.begin.push({ session, left: inWholeTokens(left) });
    }
  }
  return grants;
}

function inWholeTokens(left: Bounds): Bounds {
  return left.tokens === null ? left : { ...left, tokens: Math.max(1, Math.floor(left.tokens)) };
}
