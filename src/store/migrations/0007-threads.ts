import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Sessions that somebody has asked for on a forge, and where what becomes of them is told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "alter table sessions add column onto_branch text",
  // Begun before the session is made, so it cannot refer to it.
  `create table thread_sessions (
    session_id uuid primary key,
    cause text not null unique,
    repository_id bigint not null,
    repository text not null,
    number integer not null,
    kind text not null,
    asker_id bigint not null,
    asker text not null,
    source jsonb not null,
    state text not null default 'live',
    comment_id bigint,
    shown text,
    claimed_by text,
    claimed_until timestamptz,
    created_at timestamptz not null
  )`,
  "create index thread_sessions_thread on thread_sessions (repository_id, number, created_at)",
  "create index thread_sessions_live on thread_sessions (created_at) where state = 'live'",
];
