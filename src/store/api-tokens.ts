import { createHash, randomBytes } from "node:crypto";
import { sql } from "kysely";
import { z } from "zod";
import type { Access } from "../core/access.ts";
import { Scope } from "../core/access.ts";
import type { ApiToken, NewApiToken } from "../core/api-token.ts";
import type { Clock } from "../core/clock.ts";
import { conflict, invalidRequest, notFound } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import { Repository } from "../core/repository.ts";
import { Secret } from "../core/secret.ts";
import { createBatch } from "./batch.ts";
import type { Database } from "./database.ts";

/** Tokens of API clients, beside the hub's own secret. */
export interface ApiTokens {
  /** Makes a token (256 random bits); only its hash is stored, so `secret` is there once. */
  create(token: NewApiToken): Promise<{ token: ApiToken; secret: Secret }>;
  /** Newest first, those that are good for nothing any more included; older than `before`. */
  list(query: { before?: Id | undefined; limit: number }): Promise<ApiToken[]>;
  /** Again: changes nothing. Throws `not_found`. */
  revoke(id: Id): Promise<ApiToken>;
  /** Whose token that is; null: nobody's, or it has expired or was revoked. What is no token is not looked up. */
  find(shown: string): Promise<Access | null>;
  /** Whether a token is still good. */
  isGood(id: Id): Promise<boolean>;
}

const PREFIX = "chub_";
const SHAPE = new RegExp(`^${PREFIX}[\\w-]{43}$`);
/** That may be good at the same time. */
const MOST = 10_000;
/** How exactly the last use is known. */
const USE_MS = 60_000;

const time = z.date().transform((date) => date.toISOString());
const Row = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(Scope),
  repositories: z.array(Repository).nullable(),
  orchestration_id: z.string().nullable(),
  created_at: time,
  expires_at: time.nullable(),
  last_used_at: time.nullable(),
  revoked_at: time.nullable(),
});
const COLUMNS =
  "id, name, scopes, repositories, orchestration_id, created_at, expires_at, last_used_at, revoked_at";
const GOOD = "revoked_at is null and (expires_at is null or expires_at > now())";

export function createApiTokens(options: { database: Database; clock: Clock }): ApiTokens {
  const { database, clock } = options;
  const { db } = database;

  /** Requests that come at the same time share one statement; a token is as good as the database says at that moment. */
  const look = createBatch<Buffer, ApiToken | null>({
    maxItems: 100,
    maxWaiting: 10_000,
    lanes: 2,
    async run(hashes) {
      const rows = await database.prepared<{ hash: Buffer }>(
        "find-api-tokens",
        `select hash, ${COLUMNS} from api_tokens where hash = any($1::bytea[]) and ${GOOD}`,
        [hashes],
      );
      const found = new Map(rows.map((row) => [row.hash.toString("hex"), toToken(row)]));
      return hashes.map((hash) => found.get(hash.toString("hex")) ?? null);
    },
  });

  async function noteUse({ id, lastUsedAt }: ApiToken): Promise<void> {
    const now = clock.now();
    if (lastUsedAt !== null && now.getTime() - Date.parse(lastUsedAt) < USE_MS) return;
    await sql`update api_tokens set last_used_at = ${now} where id = ${id}`.execute(db);
  }

  return {
    async create(token) {
      const { expiresAt } = token;
      if (expiresAt !== undefined && Date.parse(expiresAt) <= clock.now().getTime())
        throw invalidRequest("expiresAt", "must be in the future");
      const secret = new Secret(`${PREFIX}${randomBytes(32).toString("base64url")}`);
      const { rows } = await sql`insert into api_tokens
          (id, hash, name, scopes, repositories, orchestration_id, created_at, expires_at)
        select ${newId()}, ${hashOf(secret.reveal())}, ${token.name}, ${token.scopes}::text[],
          ${token.repositories ?? null}::text[], ${token.orchestrationId ?? null}::uuid, ${clock.now()}::timestamptz,
          ${expiresAt ?? null}::timestamptz
        where (select count(*) from api_tokens where ${sql.raw(GOOD)}) < ${MOST}
        returning ${sql.raw(COLUMNS)}`.execute(db);
      if (rows.length === 0) throw conflict(`There are ${MOST} tokens already: revoke some`);
      return { token: toToken(rows[0]), secret };
    },
    async list({ before, limit }) {
      const { rows } = await sql`select ${sql.raw(COLUMNS)} from api_tokens where true
        ${before === undefined ? sql`` : sql`and id < ${before}`}
        order by id desc limit ${limit}`.execute(db);
      return rows.map(toToken);
    },
    async revoke(id) {
      const { rows } = await sql`update api_tokens
        set revoked_at = coalesce(revoked_at, ${clock.now()}) where id = ${id}
        returning ${sql.raw(COLUMNS)}`.execute(db);
      if (rows.length === 0) throw notFound("Token");
      return toToken(rows[0]);
    },
    async find(shown) {
      if (!SHAPE.test(shown)) return null;
      const token = await look(hashOf(shown));
      if (token === null) return null;
      await noteUse(token);
      const { id, scopes, repositories, orchestrationId } = token;
      return { tokenId: id, scopes, repositories, orchestrationId };
    },
    async isGood(id) {
      const rows = await database.prepared(
        "is-api-token-good",
        `select 1 from api_tokens where id = $1 and ${GOOD}`,
        [id],
      );
      return rows.length > 0;
    },
  };
}

function toToken(row: unknown): ApiToken {
  const { orchestration_id, created_at, expires_at, last_used_at, revoked_at, ...same } =
    Row.parse(row);
  return {
    ...same,
    orchestrationId: orchestration_id,
    createdAt: created_at,
    expiresAt: expires_at,
    lastUsedAt: last_used_at,
    revokedAt: revoked_at,
  };
}

// A plain hash is enough: what it hides has 256 bits of randomness. And what is compared by the index is the hash, of
// which nobody can choose a part.
function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
