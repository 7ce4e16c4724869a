import { sql } from "kysely";
import { z } from "zod";
import type { Db } from "../database.ts";

const Row = z
  .object({ id: z.string(), too_long: z.boolean() })
  .transform(({ id, too_long: isTooLong }) => ({ id, isTooLong }));

/** Paused sessions that are to go on by now, or were paused before `oldest`; of those that nobody has ended yet. */
export async function duePauses(db: Db, now: Date, oldest: Date): Promise<z.infer<typeof Row>[]> {
  const { rows } = await sql`select id, paused_at < ${oldest} as too_long from sessions
    where paused_at is not null and completed_at is null
      and stop_requested_at is null and cancel_requested_at is null
      and (resume_due_at <= ${now} or paused_at < ${oldest})
    order by id`.execute(db);
  return rows.map((row) => Row.parse(row));
}
