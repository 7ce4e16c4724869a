import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Checks that tell of sessions on pull requests, one for each commit that was the head while a session went on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "create sequence session_checks_ordinal",
  // Begun before the session is made, so it cannot refer to it.
  `create table session_checks (
    session_id uuid not null,
    sha text not null,
    ordinal bigint not null default nextval('session_checks_ordinal'),
    repository_id bigint not null,
    repository text not null,
    number integer not null,
    kind text not null,
    state text not null default 'open',
    shown text,
    due_at timestamptz,
    failures integer not null default 0,
    claimed_by text,
    claimed_until timestamptz,
    begun_at timestamptz not null,
    primary key (session_id, sha)
  )`,
  "create index session_checks_open on session_checks (repository_id, number) where state = 'open'",
];
