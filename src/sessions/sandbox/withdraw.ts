import type { Id } from "../../core/id.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import { forgetTokensWithin } from "../../store/sessions/prepared.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "../talk/event-at.ts";
import { whenTold } from "../talk/told.ts";

const DIED_EARLY = "made in advance, it ended before the agent was started; another one is made";

/**
 * The session, without the sandbox that was made in advance if that is no good any more: it died before it was told to
 * go on, or was being taken back when the hub was killed. No agent has run in it, so there may be another.
 */
export async function withUsableSandbox(
  deps: SessionDeps,
  session: StoredSession | null,
): Promise<StoredSession | null> {
  if (session === null || session.executorId !== deps.executorId) return session;
  if (!isSpare(session)) return session;
  const { id, preparedAt, sandboxName } = session;
  if (preparedAt !== null && (await deps.runtime.inspect(sandboxName)) === "running")
    return session;
  if (!(await withdraw(deps, id, deps.executorId))) return await deps.sessions.get(id);
  return { ...session, sandboxCreatedAt: null, preparedAt: null };
}

/** Its sandbox was made in advance, or what is left of that one, and no agent has run in it. */
export function isSpare(session: StoredSession): boolean {
  const { sandboxCreatedAt, admittedAt, preparedAt, releasedAt, startedAt } = session;
  if (releasedAt !== null || startedAt !== null) return false;
  if (preparedAt !== null) return true;
  return sandboxCreatedAt !== null && admittedAt !== null && sandboxCreatedAt < admittedAt;
}

/** How often a sandbox is looked at whose runner has not gone on yet; usually it does within milliseconds. */
const LOOK_MS = 500;

/**
 * Waits until the runner that was made in advance has gone on, or nothing more is to be expected of it but the end that
 * was asked for. False: it has died before that, so another one may be made.
 */
export async function hasGoneOn(deps: SessionDeps, id: Id): Promise<boolean> {
  const { signal } = new AbortController();
  for (;;) {
    const found = await whenTold(deps, id, { waitMs: LOOK_MS, signal }, async () => {
      const session = await deps.sessions.get(id);
      const isOn = session === null || session.completedAt !== null || !isSpare(session);
      return isOn || session.cancelRequestedAt !== null || isLate(deps, session) ? true : null;
    });
    if (found !== null) return true;
    const session = await deps.sessions.get(id);
    if (session === null) return true;
    if ((await deps.runtime.inspect(session.sandboxName)) !== "running") return false;
  }
}

function isLate({ clock }: SessionDeps, { deadlineAt }: StoredSession): boolean {
  return deadlineAt !== null && Date.parse(deadlineAt) <= clock.now().getTime();
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
    if (found.startedAt !== null) return null;
    await forgetTokensWithin(tx, id);
    // Earlier than any slot, even if it was never finished: that tells that there may be something to remove.
    const shutOut = { prepared_at: null, sandbox_created_at: found.createdAt };
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
    const name = session.sandboxName;
    const at = deps.clock.now();
    const events =
      session.admittedAt === null
        ? [eventAt(at, "sandbox.stopped", { name, reason: "made in advance and not used" })]
        : [eventAt(at, "sandbox.died", { name, reason: DIED_EARLY })];
    await appendWithin(tx, [{ sessionId: id, events }]);
  });
  return true;
}
