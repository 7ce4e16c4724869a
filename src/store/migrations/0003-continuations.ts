import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Sessions that go on where others ended. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "alter table sessions add column continues_id uuid references sessions on delete set null",
  // One conversation goes on in one place.
  "create unique index sessions_continues on sessions (continues_id) where continues_id is not null",
  // What is not required has to have ended, whichever way.
  "alter table session_dependencies add column required boolean not null default true",
  `create table conversations (
    session_id uuid primary key references sessions on delete cascade,
    body bytea not null,
    received_at timestamptz not null
  )`,
  // It is compressed already.
  "alter table conversations alter column body set storage external",
];
