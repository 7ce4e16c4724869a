import { sql } from "kysely";
import { z } from "zod";
import { asBounds } from "../core/budget.ts";
import type { Amounts, Bounds } from "../core/budget.ts";
import type { Id } from "../core/id.ts";
import { Policy } from "../core/policy.ts";
import { SessionBudget } from "../core/session.ts";
import type { Database, Db, Tx } from "./database.ts";

/** A budget and what has been used of it. */
export interface Spent {
  bounds: Bounds;
  used: Amounts;
}

/** How a session stands to all that bounds it. */
export interface BudgetState {
  sessionId: Id;
  isAdmitted: boolean;
  isTold: boolean;
  own: Spent;
  /** Of its orchestration, all sessions together; null: that has none. */
  shared: (Spent & { orchestrationId: Id }) | null;
}

export interface BudgetStore {
  of(sessionId: Id, now: Date): Promise<BudgetState | null>;
  /** Of sessions that hold a slot and are neither paused nor told to end. */
  atWork(now: Date): Promise<BudgetState[]>;
}

const Row = z.object({
  id: z.string(),
  policy: Policy.nullable(),
  is_told: z.boolean(),
  cost: z.number(),
  tokens: z.coerce.number(),
  minutes: z.coerce.number(),
});
const SharedRow = z.object({
  id: z.string(),
  budget: SessionBudget,
  cost: z.number(),
  tokens: z.coerce.number(),
  minutes: z.coerce.number(),
});

const TOKENS = sql.raw(
  "s.input_tokens + s.output_tokens + s.cache_read_tokens + s.cache_write_tokens",
);

/** Of work: neither before the slot nor while it is paused. */
function minutesAt(now: Date) {
  return sql`coalesce(greatest(0, extract(epoch from
    coalesce(s.completed_at, s.paused_at, ${now}::timestamptz) - s.admitted_at) / 60 - s.paused_ms / 60000.0), 0)`;
}

function columns(now: Date) {
  return sql`s.id, s.orchestration_id, s.policy, s.cost_usd as cost,
    s.budget_told_at is not null as is_told, ${TOKENS} as tokens, ${minutesAt(now)} as minutes`;
}

export function createBudgetStore({ db }: Database): BudgetStore {
  async function states(rows: unknown[], now: Date): Promise<BudgetState[]> {
    const found = rows.map((row) => WithOrchestration.parse(row));
    const ids = found.map(({ orchestration_id: id }) => id).filter((id) => id !== null);
    const shared = await sharedSpending(db, [...new Set(ids)], now);
    return found.map(({ orchestration_id: id, policy, ...row }) => {
      const all = id === null ? undefined : shared.get(id);
      return {
        sessionId: row.id,
        isAdmitted: policy !== null,
        isTold: row.is_told,
        own: {
          bounds: asBounds({
            costUsd: policy?.maxCostUsd,
            tokens: policy?.maxTokens,
            minutes: policy?.maxMinutes,
          }),
          used: { costUsd: row.cost, tokens: row.tokens, minutes: row.minutes },
        },
        shared: id === null || all === undefined ? null : { ...all, orchestrationId: id },
      };
    });
  }

  return {
    async of(sessionId, now) {
      const { rows } = await sql`select ${columns(now)} from sessions s
        where s.id = ${sessionId}`.execute(db);
      return (await states(rows, now))[0] ?? null;
    },
    async atWork(now) {
      const { rows } = await sql`select ${columns(now)} from sessions s
        where s.admitted_at is not null and s.completed_at is null and s.paused_at is null
          and s.stop_requested_at is null and s.cancel_requested_at is null`.execute(db);
      return await states(rows, now);
    },
  };
}
const WithOrchestration = Row.extend({ orchestration_id: z.string().nullable() });

/** Of those of the orchestrations that have a budget: what all of their sessions have used together. */
export async function sharedSpending(db: Db | Tx, ids: Id[], now: Date): Promise<Map<Id, Spent>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql`select o.id, o.options->'budget' as budget,
      coalesce(sum(s.cost_usd), 0)::float8 as cost, coalesce(sum(${TOKENS}), 0) as tokens,
      coalesce(sum(${minutesAt(now)}), 0) as minutes
    from orchestrations o left join sessions s on s.orchestration_id = o.id
    where o.id = any(${ids}::uuid[]) and o.options->'budget' is not null
    group by o.id`.execute(db);
  return new Map(
    rows.map((found) => {
      const { id, budget, cost, tokens, minutes } = SharedRow.parse(found);
      return [id, { bounds: asBounds(budget), used: { costUsd: cost, tokens, minutes } }];
    }),
  );
}
