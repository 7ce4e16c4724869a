import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Deliveries are worked off, those of one thread in their order. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What came before there was a queue is history: nobody expects an answer to it any more.
  `alter table deliveries
    add column number bigserial,
    add column thread text,
    add column state text not null default 'ignored',
    add column attempts integer not null default 0,
    add column due_at timestamptz,
    add column claimed_by text,
    add column claimed_until timestamptz,
    add column finished_at timestamptz`,
  "alter table deliveries alter column state set default 'waiting'",
  "alter table deliveries rename column intent to outcome",
  "alter table deliveries alter column outcome drop not null",
  "create unique index deliveries_number on deliveries (number)",
  "create index deliveries_waiting on deliveries (number) where state = 'waiting'",
  "create index deliveries_thread on deliveries (thread, number) where state = 'waiting'",
];
