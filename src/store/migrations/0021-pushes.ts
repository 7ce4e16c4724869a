import { sql } from "kysely";
import type { Kysely } from "kysely";

/** What a session is about to push is known before the forge has it, should the hub die in between. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table branches add column pushing_sha text`.execute(db);
}
