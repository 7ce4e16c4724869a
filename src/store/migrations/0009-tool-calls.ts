import { sql } from "kysely";
import type { Kysely } from "kysely";

/** What the agents of sessions have had the hub do. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`create table tool_calls (
      session_id uuid not null references sessions on delete cascade,
      tool text not null,
      ordinal integer not null,
      digest text,
      state text not null default 'begun',
      tries integer not null default 1,
      answer text,
      primary key (session_id, tool, ordinal),
      unique (session_id, tool, digest)
    )`)
    .execute(db);
}
