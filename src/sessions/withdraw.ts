import type { Id } from "../core/id.ts";
import { appendWithin, lockSessions } from "../store/events.ts";
import { forgetTokensWithin } from "../store/prepared.ts";
import type { StoredSession } from "../store/session-row.ts";
import { readWithin } from "../store/sessions.ts";
import { inTransaction } from "../store/transaction.ts";
import type { SessionDeps } from "./deps.ts";
import { eventAt } from "./ending.ts";

/**
 * The session, without the sandbox that was made in advance if that is no good any more: it died before it was told to
 * go on, or was being taken back when the hub was killed. No agent has run in it, so there may be another.
 */
export async function withUsableSandbox(
  deps: SessionDeps,
  session: StoredSession | null,
): Promise<StoredSession | null> {
  if (session === null || session.executorId !== deps.executorId) return session;
  const { id, sandboxCreatedAt, admittedAt, preparedAt, releasedAt, sandboxName } = session;
  const isEarly = sandboxCreatedAt !== null && admittedAt !== null && sandboxCreatedAt < admittedAt;
  if (!isEarly || releasedAt !== null) return session;
  if (preparedAt !== null && (await deps.runtime.inspect(sandboxName)) === "running")
    return session;
  if (!(await withdraw(deps, id, deps.executorId))) return await deps.sessions.get(id);
  return { ...session, sandboxCreatedAt: null, preparedAt: null };
}

/**
 * Deletes a sandbox that was made in advance, unless it was told to go on meanwhile (then: false). First it is shut
 * out, then it is removed, and only then the session may get another one: a crash in between leaves what the next look
 * takes up again. To be called in the session's turn.
 *
 * @param executorId Whose the session is afterwards; null: nobody's.
 */
export async function withdraw(
  deps: SessionDeps,
  id: Id,
  executorId: string | null,
): Promise<boolean> {
  const session = await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [found] = await readWithin(tx, [id]);
    if (found === undefined || found.completedAt !== null || found.releasedAt !== null) return null;
    if (executorId === null && found.admittedAt !== null) return null;
    await forgetTokensWithin(tx, id);
    // Not null, even if it was never finished: that tells that there may be something to remove.
    const begun = found.sandboxCreatedAt ?? found.preparedAt;
    const shutOut = { prepared_at: null, sandbox_created_at: begun };
    await tx.updateTable("sessions").set(shutOut).where("id", "=", id).execute();
    return found;
  });
  if (session === null) return false;
  await deps.runtime.remove(session.sandboxName);
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const gone = { sandbox_created_at: null, executor_id: executorId };
    await tx.updateTable("sessions").set(gone).where("id", "=", id).execute();
    if (session.sandboxCreatedAt === null) return;
    const body = { name: session.sandboxName, reason: "made in advance and not used" };
    const events = [eventAt(deps.clock.now(), "sandbox.stopped", body)];
    await appendWithin(tx, [{ sessionId: id, events }]);
  });
  return true;
}
