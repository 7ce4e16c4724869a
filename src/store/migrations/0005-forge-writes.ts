import { sql } from "kysely";
import type { Kysely } from "kysely";

/** What has been written on a forge. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`create table forge_writes (
      key text primary key,
      remote_id bigint,
      url text,
      begun_at timestamptz not null default now()
    )`)
    .execute(db);
}
