import { sql } from "kysely";
import { z } from "zod";
import type { Database } from "../database.ts";
import { firstIdAt } from "./spending.ts";

/** What goes on, and what a day has cost so far. */
export interface UsageReport {
  /** Sessions that have not ended. */
  sessions: { pending: number; initializing: number; running: number; paused: number };
  /** Of sessions that were made since then, the dearest repositories first. */
  repositories: RepositoryUsage[];
}

export interface RepositoryUsage {
  repository: string;
  sessions: number;
  costUsd: number;
  tokens: number;
  modelCalls: number;
  /** Sessions that were told of their budget, and that were stopped by the hub. */
  warned: number;
  stopped: number;
}

/** Repositories that are told of one by one. */
const REPOSITORIES = 200;
/** Ids are made a moment before or after the time that stands beside them. */
const MARGIN_MS = 3_600_000;

const OpenRow = z.object({ status: z.string(), paused: z.boolean(), count: z.coerce.number() });
const RepositoryRow = z
  .object({
    repository: z.string(),
    sessions: z.coerce.number(),
    cost: z.number(),
    tokens: z.coerce.number(),
    calls: z.coerce.number(),
    warned: z.coerce.number(),
    stopped: z.coerce.number(),
  })
  .transform(({ cost: costUsd, calls: modelCalls, ...row }) => ({ ...row, costUsd, modelCalls }));

export async function usageReport({ db }: Database, since: Date): Promise<UsageReport> {
  const open = await sql`select status, paused_at is not null as paused, count(*) as count
    from sessions where status in ('pending', 'initializing', 'running') group by 1, 2`.execute(db);
  const today = await sql`select repository, count(*) as sessions, sum(cost_usd)::float8 as cost,
      sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens) as tokens,
      sum(model_calls) as calls, count(budget_told_at) as warned, count(stop_requested_at) as stopped
    from sessions where id >= ${firstIdAt(since.getTime() - MARGIN_MS)}::uuid and created_at >= ${since}
    group by repository order by 3 desc, 1 limit ${REPOSITORIES}`.execute(db);
  const rows = open.rows.map((row) => OpenRow.parse(row));
  const count = (fits: (row: z.infer<typeof OpenRow>) => boolean) =>
    rows.filter(fits).reduce((sum, row) => sum + row.count, 0);
  return {
    sessions: {
      pending: count(({ status }) => status === "pending"),
      initializing: count(({ status }) => status === "initializing"),
      running: count(({ status, paused }) => status === "running" && !paused),
      paused: count(({ paused }) => paused),
    },
    repositories: today.rows.map((row) => RepositoryRow.parse(row)),
  };
}
