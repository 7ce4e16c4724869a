import { sql } from "kysely";
import type { Kysely } from "kysely";

/** What of a repository's budget of a day is set aside for sessions that are at work. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Made before the session is, so it cannot refer to it.
  `create table day_reservations (
    cause text primary key,
    session_id uuid not null,
    repository_id bigint not null,
    repository text not null,
    cost_usd double precision,
    tokens bigint,
    created_at timestamptz not null
  )`,
  "create index day_reservations_repository on day_reservations (repository_id, created_at)",
];
