import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Sessions that pause, are told of their budget, or are stopped by the hub; a day's budget of sessions that no thread began. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table sessions
    add column paused_at timestamptz,
    add column paused_ms bigint not null default 0,
    add column pause_reason text,
    add column resume_due_at timestamptz,
    add column budget_told_at timestamptz,
    add column stop_requested_at timestamptz,
    add column stop_reason text`,
  // What is looked at by time.
  "create index sessions_paused on sessions (id) where paused_at is not null and completed_at is null",
  // Who begins a session by the API names its repository only.
  "alter table day_reservations alter column repository_id drop not null",
  "create index day_reservations_name on day_reservations (repository, created_at)",
  "create index day_reservations_session on day_reservations (session_id)",
];
