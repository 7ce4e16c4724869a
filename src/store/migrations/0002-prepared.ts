import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Sandboxes that are made before their sessions are started. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "alter table sessions add column prepared_at timestamptz, add column released_at timestamptz",
  "create index sessions_idle on sessions (id desc) where requested_at is null and completed_at is null",
  `create index sessions_prepared on sessions (executor_id)
    where prepared_at is not null and admitted_at is null and completed_at is null`,
];
