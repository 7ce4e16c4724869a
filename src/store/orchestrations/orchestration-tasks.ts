import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import { isFinal, SessionStatus } from "../../core/session.ts";
import type { Tx } from "../database.ts";

/** The place that a session has in a plan, as far as its end is concerned. */
export interface PlannedPlace {
  orchestrationId: Id;
  taskId: string | null;
  /** Sessions that are to take its place, if it fails. */
  spares: Id[];
  /** How many sessions do the same task side by side. */
  attempts: number;
}

const PlaceRow = z
  .object({
    orchestration_id: z.string(),
    task_id: z.string().nullable(),
    spares: z.array(z.string()),
    attempts: z.int(),
  })
  .transform((row): PlannedPlace => ({
    orchestrationId: row.orchestration_id,
    taskId: row.task_id,
    spares: row.spares,
    attempts: row.attempts,
  }));

/** Null: the plan has come to its end, or there is none. */
export async function placeWithin(tx: Tx, sessionId: Id): Promise<PlannedPlace | null> {
  const { rows } = await sql`select t.orchestration_id, t.task_id, t.spares, t.attempts
    from orchestration_tasks t join orchestrations o on o.id = t.orchestration_id
    where t.session_id = ${sessionId} and o.cancel_requested_at is null and o.ended_at is null`.execute(
    tx,
  );
  const [row] = rows;
  return row === undefined ? null : PlaceRow.parse(row);
}

/**
 * Puts a session, which is there already, in the place of one that has failed: what of the same plan has waited for that
 * one waits for this one.
 */
export async function succeedWithin(tx: Tx, failed: Id, successor: Id): Promise<void> {
  await sql`insert into orchestration_tasks
      (session_id, orchestration_id, role, task_id, title, attempt, attempts, round, spares)
    select ${successor}::uuid, orchestration_id, role, task_id, title, attempt, attempts, round + 1, spares[2:]
    from orchestration_tasks where session_id = ${failed}`.execute(tx);
  await sql`update orchestration_tasks set place = 'replaced' where session_id = ${failed}`.execute(
    tx,
  );
  await sql`update session_dependencies d set depends_on_id = ${successor}
    where d.depends_on_id = ${failed} and exists (
      select 1 from orchestration_tasks mine join orchestration_tasks theirs using (orchestration_id)
      where mine.session_id = ${failed} and theirs.session_id = d.session_id)`.execute(tx);
}

/** A task that was attempted several times, once all attempts have ended. */
export interface Decision {
  /** The attempt that counts; when none has completed, the first one. */
  sessionId: Id;
  status: "completed" | "failed" | "cancelled";
}

const TaskRow = z.object({ orchestration_id: z.string(), task_id: z.string() });
const AttemptRow = z.object({
  session_id: z.string(),
  status: SessionStatus,
  place: z.string(),
});

/** Decides for each task of which one of these sessions was the last attempt; the others wait for the chosen one alone. */
export async function decideWithin(tx: Tx, ended: Id[]): Promise<Decision[]> {
  const { rows } = await sql`select distinct orchestration_id, task_id from orchestration_tasks
    where session_id = any(${ended}::uuid[]) and attempts > 1 and task_id is not null
    order by orchestration_id, task_id`.execute(tx);
  const decisions: Decision[] = [];
  for (const row of rows) {
    const task = TaskRow.parse(row);
    const attempts = await attemptsWithin(tx, task);
    const isOpen = attempts.some(({ status }) => !isFinal(status));
    const isDecided = attempts.some(({ place }) => place === "chosen");
    const [best] = attempts;
    if (isOpen || isDecided || best === undefined) continue;
    const losers = attempts.slice(1).map(({ session_id }) => session_id);
    await chooseWithin(tx, best.session_id, losers);
    const status = z.enum(["completed", "failed", "cancelled"]).parse(best.status);
    decisions.push({ sessionId: best.session_id, status });
  }
  return decisions;
}

/** The best first: what has passed, of that what changes the least, as long as it changes anything. */
async function attemptsWithin(tx: Tx, { orchestration_id, task_id }: z.infer<typeof TaskRow>) {
  // Whoever ends another attempt at this moment waits here, and then sees that this one has ended.
  await sql`select 1 from orchestration_tasks
    where orchestration_id = ${orchestration_id} and task_id = ${task_id}
    order by session_id for update`.execute(tx);
  const { rows } = await sql`select t.session_id, s.status, t.place
    from orchestration_tasks t join sessions s on s.id = t.session_id
    left join results r on r.session_id = t.session_id
    where t.orchestration_id = ${orchestration_id} and t.task_id = ${task_id}
    order by s.status <> 'completed', coalesce(r.diff, '') = '', octet_length(r.diff), t.attempt`.execute(
    tx,
  );
  return rows.map((row) => AttemptRow.parse(row));
}

async function chooseWithin(tx: Tx, best: Id, losers: Id[]): Promise<void> {
  const followers = sql`d.session_id in (
    select theirs.session_id from orchestration_tasks mine join orchestration_tasks theirs using (orchestration_id)
    where mine.session_id = ${best})`;
  await sql`update orchestration_tasks
    set place = case when session_id = ${best} then 'chosen' else 'passed_over' end
    where session_id = any(${[best, ...losers]}::uuid[])`.execute(tx);
  await sql`delete from session_dependencies d
    where d.depends_on_id = any(${losers}::uuid[]) and ${followers}`.execute(tx);
  await sql`update session_dependencies d set required = true, undecided = false
    where d.depends_on_id = ${best} and d.undecided and ${followers}`.execute(tx);
}
