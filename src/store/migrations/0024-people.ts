import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Plans that somebody has asked for on a forge, and where what becomes of them is told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What the hub lays down for the sessions of an orchestration; callers have no say in it.
  "alter table orchestrations add column terms jsonb",
  // Begun before the orchestration is made, so it cannot refer to it.
  `create table thread_plans (
    orchestration_id uuid primary key,
    cause text not null unique,
    repository_id bigint not null,
    repository text not null,
    number integer not null,
    asker_id bigint not null,
    asker text not null,
    source jsonb not null,
    state text not null default 'live',
    comment_id bigint,
    shown text,
    shown_version integer not null default 0,
    claimed_by text,
    claimed_until timestamptz,
    looked_at timestamptz,
    created_at timestamptz not null
  )`,
  "create index thread_plans_thread on thread_plans (repository_id, number, created_at)",
  "create index thread_plans_live on thread_plans (created_at) where state = 'live'",
];
