import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Deliveries that came again are counted, and those that never came are asked for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "alter table deliveries add column repeats integer not null default 0",
  "create index deliveries_repository on deliveries (repository, number)",
  "create index forge_writes_begun on forge_writes (begun_at)",
  // `delivered_at`: everything before it is known; by the forge's clock, not by the hub's.
  `create table delivery_checkpoints (
    hook text primary key,
    delivered_at timestamptz,
    due_at timestamptz not null,
    claimed_by text,
    claimed_until timestamptz
  )`,
  `create table former_names (
    name text primary key,
    repository text not null,
    repository_id bigint not null
  )`,
  "create index former_names_repository on former_names (repository)",
];
