import { sql } from "kysely";
import { z } from "zod";
import type { EventBody, NewEvent } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { Tx } from "../../store/database.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import type { Append } from "../../store/log/events.ts";
import { closeApprovalsWithin } from "../../store/talk/approvals.ts";
import { countOrders } from "../../store/talk/messages.ts";
import { announceWithin } from "../../store/notices.ts";
import { decideWithin } from "../../store/orchestrations/orchestration-tasks.ts";
import { childrenOf, descendantsOf, waitingFor } from "../../store/sessions/sessions.ts";
import { eventAt } from "../talk/event-at.ts";
import { succeed } from "./succession.ts";

export interface Ending {
  status: "completed" | "failed" | "cancelled";
  /** One sentence, safe for a caller; null when completed. */
  error: string | null;
  summary?: string;
  /** Events that come before the last one. */
  events: NewEvent[];
}

const IdRow = z.object({ id: z.string() });
const EndedRow = z.object({ orchestration_id: z.string().nullable() });

/**
 * Ends a session that the transaction has locked and that has not ended, and brings what depends on it up to date:
 * after a success it waits for one less, after anything else it is cancelled, all the way down; unless the plan has it wait
 * for another session in its place, or go on without.
 */
export async function endWithin(tx: Tx, id: Id, ending: Ending, at: Date): Promise<void> {
  const body: EventBody =
    ending.status === "completed" ? { summary: ending.summary ?? "" } : { error: ending.error };
  await closeApprovalsWithin(tx, id, at);
  const { waiting } = await countOrders(tx, id);
  const lost = waiting === 0 ? [] : [eventAt(at, "message.lost", { count: waiting })];
  const last = eventAt(at, LAST_KIND[ending.status], body);
  const appends: Append[] = [{ sessionId: id, events: [...ending.events, ...lost, last] }];
  const { orchestration_id } = EndedRow.parse(
    await tx
      .updateTable("sessions")
      .set({
        status: ending.status,
        error: ending.error,
        completed_at: at,
        // A pause is no work, also when it is the last thing that a session does.
        paused_ms: sql`paused_ms + coalesce(greatest(0, round(extract(epoch from ${at}::timestamptz - paused_at) * 1000)), 0)::bigint`,
      })
      .where("id", "=", id)
      .returning("orchestration_id")
      .executeTakeFirstOrThrow(),
  );
  const isPlanned = orchestration_id !== null;
  if (isPlanned && ending.status === "failed") await succeed(tx, id, at);
  const cancelled: Id[] = [];
  if (ending.status === "completed") await countDown(tx, await childrenOf(tx, id));
  else {
    cancelled.push(...(await failWithin(tx, { id, status: ending.status }, at, appends)));
    await countDown(tx, await waitingFor(tx, [id]));
  }
  await announceWithin(tx, [id], LAST_KIND[ending.status], at);
  if (isPlanned) await settleAttempts(tx, [id, ...cancelled], at, appends);
  await appendWithin(tx, appends);
}

/** Cancels what depends on a session that has not completed, all the way down; answers what was cancelled. */
async function failWithin(
  tx: Tx,
  { id, status }: { id: Id; status: "failed" | "cancelled" },
  at: Date,
  appends: Append[],
): Promise<Id[]> {
  const verb = status === "failed" ? "failed" : "was cancelled";
  const error = `Cancelled because session ${id}, which it depends on, ${verb}`;
  const cancelled = await cancelBelow(tx, id, error, at);
  for (const sessionId of cancelled)
    appends.push({ sessionId, events: [eventAt(at, "session.cancelled", { error })] });
  await announceWithin(tx, cancelled, "session.cancelled", at);
  await countDown(tx, await waitingFor(tx, cancelled));
  return cancelled;
}

/** Where the last attempt at a task has ended, what comes after the task goes on from the best one, or ends with it. */
async function settleAttempts(tx: Tx, ended: Id[], at: Date, appends: Append[]): Promise<void> {
  for (let last = ended; last.length > 0;) {
    const more: Id[] = [];
    for (const { sessionId, status } of await decideWithin(tx, last))
      if (status !== "completed")
        more.push(...(await failWithin(tx, { id: sessionId, status }, at, appends)));
    last = more;
  }
}

/** Cancels all that depends on a session; answers what had not ended before. */
async function cancelBelow(tx: Tx, id: Id, error: string, at: Date): Promise<Id[]> {
  let below = await descendantsOf(tx, id);
  for (;;) {
    // Ids sort by time and nothing depends on a younger session, so these locks keep the order of ids.
    await lockSessions(tx, below);
    // While the locks were waited for, somebody may have made a session that depends on one of these.
    const found = await descendantsOf(tx, id);
    if (found.length === below.length) break;
    below = found;
  }
  const { rows } =
    await sql`update sessions set status = 'cancelled', error = ${error}, completed_at = ${at}
      where id = any(${below}::uuid[]) and completed_at is null returning id`.execute(tx);
  return rows.map((row) => IdRow.parse(row).id);
}

/** @param children One that has waited for several of those that have ended stands there as often. */
async function countDown(tx: Tx, children: Id[]): Promise<void> {
  if (children.length === 0) return;
  await lockSessions(tx, children);
  await sql`update sessions s set open_dependencies = open_dependencies - c.ends
    from (select id, count(*) as ends from unnest(${children}::uuid[]) as child(id) group by id) c
    where s.id = c.id and s.completed_at is null`.execute(tx);
}

const LAST_KIND = {
  completed: "session.completed",
  failed: "session.failed",
  cancelled: "session.cancelled",
} as const;
