import { budgetExceeded, forbidden, HubError } from "../../core/errors.ts";
import { excessText, NO_BOUNDS, nearlyUsedUp, usedUp } from "../../core/budget.ts";
import type { Amounts, Excess } from "../../core/budget.ts";
import type { Id } from "../../core/id.ts";
import type { BudgetDay, BudgetState, Spent } from "../../store/spending/budgets.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "../talk/event-at.ts";
import { stopWithin } from "../ending/stop.ts";
import { tell } from "../talk/talk.ts";

/** What calls that still run may come to: of the session alone, and of all that it shares a budget with. */
export interface InFlight {
  own: { tokens: number; costUsd: number };
  shared: { tokens: number; costUsd: number };
}

interface Scoped {
  scope: "session" | "orchestration" | "day";
  excess: Excess;
}

const WHOSE = {
  session: "Session",
  orchestration: "Orchestration",
  day: "Repository's day",
} as const;
const NAMES = { costUsd: "dollars", tokens: "tokens", minutes: "minutes" } as const;

/**
 * Throws `budget_exceeded` when the session, or all with whom it shares a budget, have used what they may, together with
 * what calls that still run may come to. Where it has really been used, the session is ended.
 */
export async function checkBudget(deps: SessionDeps, id: Id, inFlight: InFlight): Promise<void> {
  const state = await deps.budgets.of(id, dayOf(deps));
  if (state === null) return;
  if (!state.isAdmitted) throw forbidden("The session has not been started");
  const used = reached(state, null);
  if (used !== null) {
    await stopFor(deps, id, used);
    throw refusal(used);
  }
  const perhaps = reached(state, inFlight);
  if (perhaps !== null) throw refusal(perhaps);
}

/** After a call, and again and again: tells those that have little left, and ends those whose time is used up. */
export async function watchBudget(deps: SessionDeps, id: Id): Promise<void> {
  const state = await deps.budgets.of(id, dayOf(deps));
  if (state === null) return;
  const near = state.isTold ? null : nearlyReached(state);
  await attend(deps, state);
  const common = near?.with ?? null;
  if (common === null) return;
  const all = await deps.budgets.atWork(dayOf(deps));
  await attendAll(
    deps,
    all.filter(({ shared }) => shared.some((one) => one.with === common)),
  );
}

export function dayOf({ settings, clock }: Pick<SessionDeps, "settings" | "clock">): BudgetDay {
  return { now: clock.now(), day: settings.day };
}

export async function watchBudgets(deps: SessionDeps): Promise<void> {
  await attendAll(deps, await deps.budgets.atWork(dayOf(deps)));
}

async function attendAll(deps: SessionDeps, states: BudgetState[]): Promise<void> {
  for (const state of states)
    try {
      await attend(deps, state);
    } catch (error) {
      // The others do not wait for it.
      deps.log.warn({ err: error, sessionId: state.sessionId }, "budget could not be kept");
    }
}

async function attend(deps: SessionDeps, state: BudgetState): Promise<void> {
  if (!state.isAdmitted) return;
  // Who has used up money or tokens is ended when asking for more: what the last call has brought may be the end.
  const used = reached(minutesOf(state), null);
  if (used !== null) await stopFor(deps, state.sessionId, used);
  if (state.isTold) return;
  const near = nearlyReached(state);
  if (near !== null) await warn(deps, state.sessionId, near);
}

/** The same as if only time had a limit. */
function minutesOf(state: BudgetState): BudgetState {
  return { ...state, own: onlyMinutes(state.own), shared: state.shared.map(onlyMinutes) };
}

function onlyMinutes<Of extends Spent>(spent: Of): Of {
  return { ...spent, bounds: { ...NO_BOUNDS, minutes: spent.bounds.minutes } };
}

function reached({ own, shared }: BudgetState, inFlight: InFlight | null): Scoped | null {
  const mine = usedUp(own.bounds, withMore(own.used, inFlight?.own));
  if (mine !== null) return { scope: "session", excess: mine };
  for (const { scope, bounds, used } of shared) {
    const excess = usedUp(bounds, withMore(used, inFlight?.shared));
    if (excess !== null) return { scope, excess };
  }
  return null;
}

function withMore(used: Amounts, more: { tokens: number; costUsd: number } | undefined): Amounts {
  if (more === undefined) return used;
  return { ...used, tokens: used.tokens + more.tokens, costUsd: used.costUsd + more.costUsd };
}

function nearlyReached({ own, shared }: BudgetState): (Scoped & { with: string | null }) | null {
  const mine = nearlyUsedUp(own.bounds, own.bounds, own.used);
  if (mine !== null) return { scope: "session", excess: mine, with: null };
  for (const { bounds, used, ...one } of shared) {
    const excess = nearlyUsedUp(own.bounds, bounds, used);
    if (excess !== null) return { ...one, excess };
  }
  return null;
}

function refusal({ scope, excess: { what, limit } }: Scoped): HubError {
  return budgetExceeded(NAMES[what], limit, WHOSE[scope]);
}

async function stopFor(deps: SessionDeps, id: Id, { scope, excess }: Scoped): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || !mayBeStopped(session)) return;
    const at = deps.clock.now();
    const { what, limit, used } = excess;
    const body = { scope, what: NAMES[what], limit, used };
    await appendWithin(tx, [{ sessionId: id, events: [eventAt(at, "budget.exceeded", body)] }]);
    const sentence = refusal({ scope, excess }).message;
    await stopWithin(tx, id, `${sentence} (${excessText(excess)}): its agent was stopped`, at);
  });
}

function mayBeStopped(session: StoredSession): boolean {
  return (
    session.completedAt === null &&
    session.admittedAt !== null &&
    session.stopReason === null &&
    session.cancelRequestedAt === null
  );
}

/** Once a session, whichever budget it is. */
async function warn(deps: SessionDeps, id: Id, { scope, excess }: Scoped): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || !mayBeStopped(session) || !hears(session)) return;
    const at = deps.clock.now();
    await tx.updateTable("sessions").set({ budget_told_at: at }).where("id", "=", id).execute();
    const { what, limit, used } = excess;
    const body = { scope, what: NAMES[what], limit, used };
    await appendWithin(tx, [{ sessionId: id, events: [eventAt(at, "budget.warned", body)] }]);
    // Without tools there is nothing to bring to an end.
    if (session.terms.toolset === "none") return;
    const text = `${LITTLE_LEFT[scope]} (${excessText(excess)}). ${FINISH}`;
    await tell(deps, tx, id, { kind: "message", text, sender: "hub" });
  });
}

function hears({ budgetToldAt, hearsUntil, pause }: StoredSession): boolean {
  return budgetToldAt === null && hearsUntil === null && pause === null;
}

const LITTLE_LEFT = {
  session: "The budget of this session is nearly used up",
  orchestration: "The budget of all sessions that work on this request together is nearly used up",
  day: "This repository's budget for today is nearly used up",
};
const FINISH = [
  "Finish now: bring what you have into a state that others can go on from, commit it, and begin nothing new.",
  "Then give your final answer for the whole session, saying what is done and what is not; if you have given it already, give it again.",
  "When the budget is used up, you are stopped.",
].join(" ");
