import { sql } from "kysely";
import { policyFor, workBranchFor } from "../core/policy.ts";
import { pickForAdmission } from "../store/admission.ts";
import type { Tx } from "../store/database.ts";
import { appendWithin, lockSessions } from "../store/events.ts";
import { readWithin } from "../store/sessions.ts";
import type { StoredSession } from "../store/session-row.ts";
import { inTransaction } from "../store/transaction.ts";
import type { SessionDeps } from "./deps.ts";
import { eventAt } from "./ending.ts";

/**
 * Gives the free slots to those who wait, and lets the engine look after them. A crash in between is harmless: at
 * its next look the hub finds sessions that hold a slot and begins with them again.
 */
export async function admit(deps: SessionDeps): Promise<void> {
  const admitted = await inTransaction(deps.database, async (tx) => {
    const picked = await pickForAdmission(tx, deps.settings.slots);
    if (picked.length === 0) return [];
    await lockSessions(tx, picked);
    // One of them may have been cancelled between the choice and the lock.
    const waiting = (await readWithin(tx, picked)).filter(({ status }) => status === "pending");
    for (const session of waiting) await admitWithin(tx, deps, session);
    return waiting.map(({ id }) => id);
  });
  await Promise.all(admitted.map((id) => deps.engine.begin(id)));
}

async function admitWithin(tx: Tx, deps: SessionDeps, session: StoredSession): Promise<void> {
  const at = deps.clock.now();
  const { timeout } = session.options;
  const lifetimeMs = timeout === undefined ? deps.settings.lifetimeMs : timeout * 1_000;
  const deadlineAt = new Date(at.getTime() + lifetimeMs);
  await tx
    .updateTable("sessions")
    .set({
      status: "initializing",
      admitted_at: at,
      deadline_at: deadlineAt,
      work_branch: await workBranchOf(tx, session),
      policy: JSON.stringify(policyFor(session.type, deps.settings.policy)),
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

/** The branch of the session that this one goes on with, if both push; it is this one's from now on. */
async function workBranchOf(tx: Tx, session: StoredSession): Promise<string | null> {
  const own = workBranchFor(session.type, session.id);
  if (own === null || session.continuesId === null) return own;
  const [before] = await readWithin(tx, [session.continuesId]);
  if (before === undefined || before.workBranch === null) return own;
  await tx
    .updateTable("branches")
    .set({ session_id: session.id })
    .where("repository", "=", session.project.repository)
    .where("branch", "=", before.workBranch)
    .execute();
  return before.workBranch;
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
