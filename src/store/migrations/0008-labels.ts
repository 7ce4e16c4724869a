import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Sessions that answer by a schema, on terms of their own; and labels that are being chosen. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "alter table sessions add column terms jsonb",
  "alter table results add column answer jsonb",
  // Begun before the session is made, so it cannot refer to it; kept when that is deleted, since an issue is looked at once.
  `create table label_runs (
    session_id uuid primary key,
    cause text not null unique,
    repository_id bigint not null,
    repository text not null,
    number integer not null,
    source jsonb,
    state text not null default 'waiting',
    outcome text,
    attempts integer not null default 0,
    due_at timestamptz not null,
    claimed_by text,
    claimed_until timestamptz,
    created_at timestamptz not null,
    finished_at timestamptz
  )`,
  "create index label_runs_repository on label_runs (repository_id, created_at)",
  "create index label_runs_open on label_runs (due_at) where state <> 'done'",
];
