import { alreadyStarted, notFound } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import { isFinal } from "../core/session.ts";
import type { Session } from "../core/session.ts";
import type { Tx } from "../store/database.ts";
import { appendWithin, lockSessions } from "../store/log/events.ts";
import { readWithin, waitedFor } from "../store/sessions/sessions.ts";
import { inTransaction } from "../store/transaction.ts";
import type { SessionDeps } from "./deps.ts";
import { eventAt } from "./talk/event-at.ts";

/** Asks for a slot; pending from then on. A second request while it is pending changes nothing. */
export async function requestStart(deps: SessionDeps, id: Id): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined) throw notFound("Session");
    if (session.status === "pending") return;
    if (session.requestedAt !== null || session.completedAt !== null)
      throw alreadyStarted(session.status);
    const waitingFor = await awaited(tx, session);
    await requestWithin(tx, id, waitingFor, deps.clock.now());
  });
}

/** Marks a session, locked and not yet asked to start, as waiting for its slot. */
export async function requestWithin(tx: Tx, id: Id, waitingFor: Id[], at: Date): Promise<void> {
  await tx
    .updateTable("sessions")
    .set({ status: "pending", requested_at: at })
    .where("id", "=", id)
    .execute();
  const reason = waitingFor.length > 0 ? "dependencies" : "slot";
  await appendWithin(tx, [
    { sessionId: id, events: [eventAt(at, "session.queued", { reason, waitingFor })] },
  ]);
}

/** What a session still waits for: those that it depends on have to complete, others only to have ended. */
export async function awaited(
  tx: Parameters<typeof readWithin>[0],
  { id: waiting, dependencies, continuesId }: Pick<Session, "id" | "dependencies" | "continuesId">,
): Promise<Id[]> {
  const ends = new Set(await waitedFor(tx, waiting));
  if (continuesId !== null) ends.add(continuesId);
  const ids = [...new Set([...dependencies, ...ends])];
  if (ids.length === 0) return [];
  const done = new Set(
    (await readWithin(tx, ids))
      .filter(({ id, status }) => status === "completed" || (ends.has(id) && isFinal(status)))
      .map(({ id }) => id),
  );
  return ids.filter((id) => !done.has(id));
}
