import { sql } from "kysely";
import type { Kysely } from "kysely";

/** What people tell sessions while they run, and what sessions ask of people. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // In the order of `position`, which is given under the session's lock and has no gaps.
  `create table session_messages (
    id uuid primary key,
    session_id uuid not null references sessions on delete cascade,
    position integer not null,
    kind text not null,
    text text not null,
    sender text not null,
    at timestamptz not null,
    delivered_at timestamptz,
    unique (session_id, position)
  )`,
  // The runner has said that it takes no more.
  "alter table sessions add column hears_until timestamptz",
  // `key`: who asks the same once more, asks the same question. Without an answer by `due_at` it is no.
  `create table approvals (
    id uuid primary key,
    session_id uuid not null references sessions on delete cascade,
    number integer not null,
    key text not null,
    kind text not null,
    subject text not null,
    detail text not null,
    asked_at timestamptz not null,
    due_at timestamptz not null,
    decision text,
    answered_by text,
    note text,
    answered_at timestamptz,
    unique (session_id, number),
    unique (session_id, key)
  )`,
  "create index approvals_open on approvals (due_at) where answered_at is null",
];
