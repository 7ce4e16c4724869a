import { sql } from "kysely";
import type { Bounds } from "../../core/budget.ts";
import type { Id } from "../../core/id.ts";
import { withinBudget } from "../../core/policy.ts";
import type { Policy } from "../../core/policy.ts";
import { pickForAdmission } from "../../store/sessions/admission.ts";
import type { Tx } from "../../store/database.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { endWithin } from "../ending/ending.ts";
import { eventAt } from "../talk/event-at.ts";
import { grantsFor } from "../job/grants.ts";
import { ownBranchOf, policyOf } from "../job/permitted.ts";

/**
 * Gives the free slots to those who wait, and lets the engine look after them. A crash in between is harmless: at
 * its next look the hub finds sessions that hold a slot and begins with them again.
 */
export async function admit(deps: SessionDeps): Promise<void> {
  const { admitted, refused } = await inTransaction(deps.database, async (tx) => {
    const picked = await pickForAdmission(tx, deps.settings.slots);
    if (picked.length === 0) return { admitted: [], refused: [] };
    await lockSessions(tx, picked);
    // One of them may have been cancelled between the choice and the lock.
    const waiting = (await readWithin(tx, picked)).filter(({ status }) => status === "pending");
    const granted = await grantsFor(tx, deps, waiting);
    for (const { session, left } of granted.begin) await admitWithin(tx, deps, session, left);
    return { admitted: granted.begin.map(({ session }) => session.id), refused: granted.refuse };
  });
  await Promise.all(admitted.map((id) => deps.engine.begin(id)));
  // What depends on them is locked in its turn, which is not to be done while others are.
  for (const { id, why } of refused) await refuse(deps, id, why);
}

/** Ends a session for which nothing is left of the budget that it was to share. */
async function refuse(deps: SessionDeps, id: Id, why: string): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || session.status !== "pending") return;
    await endWithin(tx, id, { status: "cancelled", error: why, events: [] }, deps.clock.now());
  });
}

async function admitWithin(
  tx: Tx,
  deps: SessionDeps,
  session: StoredSession,
  left: Bounds,
): Promise<void> {
  const at = deps.clock.now();
  const policy = withinBudget(policyOf(deps, session), left);
  const deadlineAt = new Date(at.getTime() + lifetimeOf(deps, session, policy));
  await tx
    .updateTable("sessions")
    .set({
      status: "initializing",
      admitted_at: at,
      deadline_at: deadlineAt,
      work_branch: await workBranchOf(tx, session),
      policy: JSON.stringify(policy),
    })
    .where("id", "=", session.id)
    .execute();
  // Its runner may be waiting for this.
  if (session.preparedAt !== null)
    await sql`select pg_notify('claude_hub_commands', ${session.id})`.execute(tx);
  const body = { deadlineAt: deadlineAt.toISOString() };
  await appendWithin(tx, [
    { sessionId: session.id, events: [eventAt(at, "session.admitted", body)] },
  ]);
}

function lifetimeOf(
  { settings }: SessionDeps,
  { options: { timeout }, terms: { toolset } }: StoredSession,
  { maxMinutes }: Policy,
): number {
  const usualMs = toolset === "coordination" ? settings.coordinationMs : settings.lifetimeMs;
  const limitMs = timeout === undefined ? usualMs : timeout * 1_000;
  return Math.round(Math.min(limitMs, (maxMinutes ?? Infinity) * 60_000));
}

/** The branch of the session that this one goes on with, if both push; it is this one's from now on. */
async function workBranchOf(tx: Tx, session: StoredSession): Promise<string | null> {
  const own = ownBranchOf(session);
  if (own === null) return null;
  const onto = session.onto ?? (await branchBefore(tx, session));
  if (onto === null) return own;
  return (await takeOver(tx, session, onto)) ? onto : own;
}

async function branchBefore(tx: Tx, { continuesId }: StoredSession): Promise<string | null> {
  if (continuesId === null) return null;
  const [before] = await readWithin(tx, [continuesId]);
  return before?.workBranch ?? null;
}

/** One session writes a branch at a time; one that has ended gives it up. */
async function takeOver(tx: Tx, session: StoredSession, branch: string): Promise<boolean> {
  const { repository } = session.project;
  const { rows } = await sql`insert into branches (repository, branch, session_id)
    values (${repository}, ${branch}, ${session.id})
    on conflict (repository, branch) do update set session_id = excluded.session_id, pushing_sha = null
    where branches.session_id = excluded.session_id or exists (
      select 1 from sessions s where s.id = branches.session_id and s.completed_at is not null)
    returning 1`.execute(tx);
  return rows.length > 0;
}

/**
 * Callers that come while the work runs share the next run; each is answered by a run that began after its call.
 */
export function shared(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const run = (): Promise<void> => {
    const current = work().finally(() => {
      if (running === current) running = null;
    });
    running = current;
    return current;
  };
  return () => {
    if (running === null) return run();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        return run();
      });
    return next;
  };
}
