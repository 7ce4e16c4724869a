import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Whoever wants to know of the end of sessions is told of it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What happened, until it is known whom to tell.
  `create table announcements (
    id bigint generated always as identity primary key,
    session_id uuid not null references sessions on delete cascade,
    kind text not null,
    at timestamptz not null
  )`,
  `create table notices (
    id uuid primary key,
    session_id uuid not null references sessions on delete cascade,
    kind text not null,
    url text not null,
    listed boolean not null,
    body text not null,
    state text not null default 'waiting',
    outcome text,
    attempts integer not null default 0,
    created_at timestamptz not null,
    due_at timestamptz,
    finished_at timestamptz
  )`,
  "create index notices_due on notices (due_at) where due_at is not null",
  "create index notices_session on notices (session_id)",
];
