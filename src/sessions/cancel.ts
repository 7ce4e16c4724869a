import { sql } from "kysely";
import { conflict, notFound } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import { isFinal } from "../core/session.ts";
import type { Tx } from "../store/database.ts";
import { appendWithin, lockSessions } from "../store/log/events.ts";
import type { StoredSession } from "../store/sessions/session-row.ts";
import { readWithin } from "../store/sessions/sessions.ts";
import { inTransaction } from "../store/transaction.ts";
import type { SessionDeps } from "./deps.ts";
import { endWithin } from "./ending/ending.ts";
import { eventAt } from "./talk/event-at.ts";

const REASON = "Cancelled on request";

/**
 * Without a slot a session is cancelled at once, with what depends on it. One that holds a slot is told to end; it
 * ends as cancelled once its sandbox is gone.
 */
export async function cancelSession(deps: SessionDeps, id: Id): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined) throw notFound("Session");
    if (isFinal(session.status))
      throw conflict(`Session has already ended (status: ${session.status})`);
    await cancelWithin(tx, session, deps.clock.now());
  });
}

/** Of a session that is locked and has not ended. */
export async function cancelWithin(
  tx: Tx,
  session: StoredSession,
  at: Date,
  reason = REASON,
): Promise<void> {
  const { id } = session;
  if (session.admittedAt === null) {
    await endWithin(tx, id, { status: "cancelled", error: reason, events: [] }, at);
    return;
  }
  if (session.cancelRequestedAt !== null) return;
  await tx.updateTable("sessions").set({ cancel_requested_at: at }).where("id", "=", id).execute();
  await appendWithin(tx, [
    { sessionId: id, events: [eventAt(at, "session.cancelling", { reason })] },
  ]);
  await sql`select pg_notify('claude_hub_commands', ${id})`.execute(tx);
}
