import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import { Policy } from "../../core/policy.ts";
import type { Database } from "../database.ts";

/** The session that a token is good for. */
export interface TokenOwner {
  sessionId: Id;
  repository: string;
  /** What its repository was called before; a sandbox may have been told so. */
  formerNames: string[];
  policy: Policy | null;
  workBranch: string | null;
  spent: { tokens: number; costUsd: number };
  /** Names of what it shares a budget with others in. */
  sharesWith: string[];
  hasEnded: boolean;
}

export interface TokenStore {
  /** Makes a token (256 random bits, base64url); only its hash is stored. */
  issue(sessionId: Id): Promise<string>;
  find(token: string): Promise<TokenOwner | null>;
}

const Row = z.object({
  session_id: z.string(),
  repository: z.string(),
  former: z.array(z.string()),
  policy: Policy.nullable(),
  work_branch: z.string().nullable(),
  tokens: z.coerce.number(),
  cost_usd: z.number(),
  ended: z.boolean(),
  shares_with: z.string().nullable(),
});

export function createTokenStore(database: Database): TokenStore {
  return {
    async issue(sessionId) {
      const token = randomBytes(32).toString("base64url");
      await database.prepared(
        "insert-token",
        "insert into session_tokens (hash, session_id) values ($1, $2)",
        [hashOf(token), sessionId],
      );
      return token;
    },
    async find(token) {
      const [found] = await database.prepared(
        "find-token",
        `select t.session_id, s.repository, s.policy, s.work_branch, s.cost_usd,
           s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens as tokens,
           s.completed_at is not null as ended,
           (select o.id from orchestrations o where o.id = s.orchestration_id
             and o.options->'budget' is not null) as shares_with,
           array(select f.name from former_names f where f.repository = s.repository) as former
         from session_tokens t join sessions s on s.id = t.session_id where t.hash = $1`,
        [hashOf(token)],
      );
      if (found === undefined) return null;
      const row = Row.parse(found);
      return {
        sessionId: row.session_id,
        repository: row.repository,
        formerNames: row.former,
        policy: row.policy,
        workBranch: row.work_branch,
        spent: { tokens: row.tokens, costUsd: row.cost_usd },
        sharesWith: row.shares_with === null ? [] : [row.shares_with],
        hasEnded: row.ended,
      };
    },
  };
}

// A plain hash is enough: what it hides has 256 bits of randomness.
function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
