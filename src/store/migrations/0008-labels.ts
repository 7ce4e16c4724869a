import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Sessions that answer by a schema, on terms of their own. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "alter table sessions add column terms jsonb",
  "alter table results add column answer jsonb",
];
