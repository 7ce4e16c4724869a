import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Commits whose checks are to be looked at, and what was tried to mend those of pull requests. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table check_wakes (
    repository_id bigint not null,
    sha text not null,
    repository text not null,
    due_at timestamptz not null,
    created_at timestamptz not null,
    failures integer not null default 0,
    claimed_by text,
    claimed_until timestamptz,
    primary key (repository_id, sha)
  )`,
  "create index check_wakes_due on check_wakes (due_at)",
  `create table repairs (
    repository_id bigint not null,
    number integer not null,
    attempts integer not null,
    sha text,
    fingerprints jsonb not null,
    reset_sha text,
    gave_up boolean not null default false,
    primary key (repository_id, number)
  )`,
];
