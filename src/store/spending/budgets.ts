import { sql } from "kysely";
import { z } from "zod";
import { asBounds } from "../../core/budget.ts";
import type { Amounts, Bounds } from "../../core/budget.ts";
import type { Id } from "../../core/id.ts";
import { Policy } from "../../core/policy.ts";
import { SessionBudget } from "../../core/session.ts";
import type { Database, Db, Tx } from "../database.ts";
import { setAsideSince, spentSince } from "./spending.ts";

/** A budget and what has been used of it. */
export interface Spent {
  bounds: Bounds;
  used: Amounts;
}

/** What a session shares: with all of its orchestration, or with all of its repository on that day. */
export type Shared = Spent & { scope: "orchestration" | "day"; with: string };

/** How a session stands to all that bounds it. */
export interface BudgetState {
  sessionId: Id;
  isAdmitted: boolean;
  isTold: boolean;
  own: Spent;
  shared: Shared[];
}

/** When it is, and what a repository may use on one day. */
export interface BudgetDay {
  now: Date;
  day: Bounds;
}

export interface BudgetStore {
  of(sessionId: Id, at: BudgetDay): Promise<BudgetState | null>;
  /** Of sessions that hold a slot and are neither paused nor told to end. */
  atWork(at: BudgetDay): Promise<BudgetState[]>;
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
  return sql`s.id, s.orchestration_id, s.repository, s.policy, s.cost_usd as cost,
    s.budget_told_at is not null as is_told, ${TOKENS} as tokens, ${minutesAt(now)} as minutes`;
}

export function createBudgetStore({ db }: Database): BudgetStore {
  async function states(rows: unknown[], at: BudgetDay): Promise<BudgetState[]> {
    const found = rows.map((row) => StateRow.parse(row));
    const shares = await sharesOf(db, found, at);
    return found.map(({ id, policy, is_told: isTold, cost, tokens, minutes }) => ({
      sessionId: id,
      isAdmitted: policy !== null,
      isTold,
      own: {
        bounds: asBounds({
          costUsd: policy?.maxCostUsd,
          tokens: policy?.maxTokens,
          minutes: policy?.maxMinutes,
        }),
        used: { costUsd: cost, tokens, minutes },
      },
      shared: shares.get(id) ?? [],
    }));
  }

  return {
    async of(sessionId, at) {
      const { rows } = await sql`select ${columns(at.now)} from sessions s
        where s.id = ${sessionId}`.execute(db);
      return (await states(rows, at))[0] ?? null;
    },
    async atWork(at) {
      const { rows } = await sql`select ${columns(at.now)} from sessions s
        where s.admitted_at is not null and s.completed_at is null and s.paused_at is null
          and s.stop_requested_at is null and s.cancel_requested_at is null`.execute(db);
      return await states(rows, at);
    },
  };
}
const StateRow = Row.extend({
  orchestration_id: z.string().nullable(),
  repository: z.string(),
}).transform(({ orchestration_id: orchestrationId, ...row }) => ({ ...row, orchestrationId }));

/** What each of these sessions shares with others. */
export async function sharesOf(
  db: Db | Tx,
  sessions: { id: Id; orchestrationId: Id | null; repository: string }[],
  { now, day }: BudgetDay,
): Promise<Map<Id, Shared[]>> {
  const ids = sessions.map(({ orchestrationId }) => orchestrationId).filter((id) => id !== null);
  const all = await sharedSpending(db, [...new Set(ids)], now);
  const days = await daysOf(db, sessions, { now, day });
  return new Map(
    sessions.map(({ id, orchestrationId }) => {
      const together = orchestrationId === null ? undefined : all.get(orchestrationId);
      const today = days.get(id);
      return [
        id,
        [
          ...(together === undefined || orchestrationId === null
            ? []
            : [{ ...together, scope: "orchestration" as const, with: orchestrationId }]),
          ...(today === undefined ? [] : [today]),
        ],
      ];
    }),
  );
}

const ReservedRow = z.object({ id: z.string() });

/** For sessions that have nothing set aside of their repository's day, or no more: what others have not used of it. */
async function daysOf(
  db: Db | Tx,
  sessions: { id: Id; repository: string }[],
  { now, day }: BudgetDay,
): Promise<Map<Id, Shared>> {
  const found = new Map<Id, Shared>();
  if (sessions.length === 0 || (day.costUsd === null && day.tokens === null)) return found;
  const { rows } =
    await sql`select s.id from sessions s where s.id = any(${sessions.map(({ id }) => id)}::uuid[])
    and exists (select 1 from day_reservations r left join orchestrations o on o.id = r.session_id
      where r.session_id in (s.id, s.orchestration_id) and o.ended_at is null)`.execute(db);
  const reserved = new Set(rows.map((row) => ReservedRow.parse(row).id));
  const since = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));
  const spent = new Map<string, Shared>();
  for (const { id, repository } of sessions) {
    if (reserved.has(id)) continue;
    const known = spent.get(repository) ?? (await dayOf(db, repository, { now, day, since }));
    spent.set(repository, known);
    found.set(id, known);
  }
  return found;
}

async function dayOf(
  db: Db | Tx,
  repository: string,
  { now, day, since }: BudgetDay & { since: Date },
): Promise<Shared> {
  const used = await spentSince(db, repository, since);
  const setAside = await setAsideSince(db, repository, since, now);
  return {
    scope: "day",
    with: dayKey(repository),
    bounds: day,
    used: {
      costUsd: used.costUsd + setAside.costUsd,
      tokens: used.tokens + setAside.tokens,
      minutes: 0,
    },
  };
}

/** Names what sessions of one repository share. */
export function dayKey(repository: string): string {
  return `day ${repository}`;
}

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
