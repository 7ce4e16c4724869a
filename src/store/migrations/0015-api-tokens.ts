import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Tokens of API clients, beside the hub's own secret, of which only the hashes are kept; and lists that stay quick. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table api_tokens (
    id uuid primary key,
    hash bytea not null unique,
    name text not null,
    scopes text[] not null,
    repositories text[],
    orchestration_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`,
  // Lists are read by these from the newest on, and no further than a page.
  "drop index sessions_orchestration",
  "create index sessions_orchestration on sessions (orchestration_id, id desc) where orchestration_id is not null",
  // Of those that are over, which change no more: others are few.
  `create index sessions_repository_over on sessions (repository, status, id desc)
    where status in ('completed', 'failed', 'cancelled')`,
];
