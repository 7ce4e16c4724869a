import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Sessions that coordinate others take no place of those; what they make, they make once. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "alter table sessions add column coordinates boolean not null default false",
  "create index sessions_coordinating on sessions (requested_at, id) where coordinates and completed_at is null",
  // `call`: of the tool, by which the coordinating session has had it made.
  "alter table orchestration_tasks add column call integer",
  "create unique index orchestration_tasks_call on orchestration_tasks (orchestration_id, call) where call is not null",
];
