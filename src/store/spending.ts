import { sql } from "kysely";
import { z } from "zod";
import type { Database } from "./database.ts";

/** What sessions of one repository have cost. */
export interface SpendingStore {
  /** All that were made since then, with what those that are still at work have used so far. */
  since(repository: string, at: Date): Promise<{ costUsd: number; tokens: number }>;
}

const Row = z.object({ cost: z.number(), tokens: z.coerce.number() });
/** Ids are made a moment before or after the time that stands beside them. */
const MARGIN_MS = 3_600_000;

export function createSpendingStore({ db }: Database): SpendingStore {
  return {
    async since(repository, at) {
      const { rows } = await sql`select coalesce(sum(cost_usd), 0)::float8 as cost,
          coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0) as tokens
        from sessions where repository = ${repository} and id >= ${firstIdAt(at.getTime() - MARGIN_MS)}::uuid
          and created_at >= ${at}`.execute(db);
      const { cost, tokens } = Row.parse(rows[0]);
      return { costUsd: cost, tokens };
    },
  };
}

/** The least UUID of version 7 of that millisecond, so that the index of ids finds the day. */
function firstIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
