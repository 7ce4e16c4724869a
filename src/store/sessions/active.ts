import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";

/** A session that holds a slot, as far as it takes to see whether it is as it should be. */
export interface ActiveSession {
  id: Id;
  sandboxName: string;
  executorId: string | null;
  hasSandbox: boolean;
  /** Its sandbox was made in advance, and the runner in it has not gone on. */
  isSpare: boolean;
  admittedAt: Date;
  deadlineAt: Date;
  /** Or when the hub had it ended. */
  cancelRequestedAt: Date | null;
  isPaused: boolean;
  /** When its result arrived; null while there is none. */
  resultAt: Date | null;
}

export interface ActiveStore {
  list(): Promise<ActiveSession[]>;
  /** Those of the sandboxes whose sessions have not ended and are not at home with another hub. */
  wanted(sandboxNames: string[], executorId: string): Promise<Set<string>>;
}

const Row = z.object({
  id: z.string(),
  sandbox_name: z.string(),
  executor_id: z.string().nullable(),
  has_sandbox: z.boolean(),
  is_spare: z.boolean(),
  admitted_at: z.date(),
  deadline_at: z.date(),
  cancel_requested_at: z.date().nullable(),
  is_paused: z.boolean(),
  received_at: z.date().nullable(),
});
const NameRow = z.object({ sandbox_name: z.string() });

export function createActiveStore({ db }: Database): ActiveStore {
  return {
    async list() {
      const { rows } =
        await sql`select s.id, s.sandbox_name, s.executor_id, s.sandbox_created_at is not null as has_sandbox,
          s.released_at is null and s.started_at is null and (s.prepared_at is not null or s.sandbox_created_at < s.admitted_at) is true as is_spare, s.admitted_at, s.deadline_at,
          least(s.cancel_requested_at, s.stop_requested_at) as cancel_requested_at, s.paused_at is not null as is_paused, r.received_at
        from sessions s left join results r on r.session_id = s.id
        where s.admitted_at is not null and s.completed_at is null order by s.admitted_at`.execute(
          db,
        );
      return rows.map((found) => {
        const row = Row.parse(found);
        return {
          id: row.id,
          sandboxName: row.sandbox_name,
          executorId: row.executor_id,
          hasSandbox: row.has_sandbox,
          isSpare: row.is_spare,
          admittedAt: row.admitted_at,
          deadlineAt: row.deadline_at,
          cancelRequestedAt: row.cancel_requested_at,
          isPaused: row.is_paused,
          resultAt: row.received_at,
        };
      });
    },
    async wanted(sandboxNames, executorId) {
      const { rows } = await sql`select sandbox_name from sessions
        where sandbox_name = any(${sandboxNames}::text[]) and completed_at is null
          and coalesce(executor_id, ${executorId}) = ${executorId}`.execute(db);
      return new Set(rows.map((row) => NameRow.parse(row).sandbox_name));
    },
  };
}
