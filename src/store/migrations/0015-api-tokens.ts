import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Tokens of API clients, beside the hub's own secret. Only their hashes are kept. */
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
];
