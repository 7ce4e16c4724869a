import { sql } from "kysely";
import type { Kysely } from "kysely";

/** When pull requests are reviewed, and what reviews have found so far. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // One row is all that says whether a commit of a pull request has been reviewed.
  `create table review_gates (
    repository_id bigint not null,
    number integer not null,
    sha text not null,
    repository text not null,
    state text not null,
    reason text,
    session_id uuid,
    armed_at timestamptz not null,
    ready_at timestamptz,
    due_at timestamptz,
    wakes integer not null default 1,
    looked integer not null default 0,
    failures integer not null default 0,
    claimed_by text,
    claimed_until timestamptz,
    primary key (repository_id, number, sha)
  )`,
  "create index review_gates_due on review_gates (due_at) where due_at is not null",
  "create index review_gates_sha on review_gates (repository_id, sha)",
  // Begun before the session is made, so it cannot refer to it.
  `create table reviews (
    session_id uuid primary key,
    repository_id bigint not null,
    repository text not null,
    number integer not null,
    sha text not null,
    state text not null default 'open',
    summary text,
    verdict text,
    url text,
    note text,
    due_at timestamptz,
    failures integer not null default 0,
    claimed_by text,
    claimed_until timestamptz,
    created_at timestamptz not null
  )`,
  "create index reviews_open on reviews (created_at) where state = 'open'",
  `create table review_comments (
    session_id uuid not null references reviews (session_id) on delete cascade,
    ordinal integer not null,
    comment jsonb not null,
    primary key (session_id, ordinal)
  )`,
];
