import { sql } from "kysely";
import { z } from "zod";
import type { Spending } from "../../core/bot-settings.ts";
import type { Id } from "../../core/id.ts";
import type { Database, Tx } from "../database.ts";
import { inTransaction } from "../transaction.ts";

/** A session that is to be begun in a repository with a budget of a day. */
export interface DayAsk {
  /** Asked again for the same, it answers the same. */
  cause: string;
  sessionId: Id;
  repositoryId: number;
  repository: string;
  /** When the day has begun. */
  since: Date;
  at: Date;
  day: Spending;
  /** What the session may use at the most, whatever day it is. */
  session: Spending;
}

/** What is set aside for a session, which may use no more; else why nothing is. */
export type DayGrant =
  | { isOver: false; sessionId: Id; limits: Spending }
  | { isOver: true; spent: Amounts; setAside: Amounts };

interface Amounts {
  costUsd: number;
  tokens: number;
}

/** What sessions of one repository have cost. */
export interface SpendingStore {
  /** All that were made since then, with what those that are still at work have used so far. */
  since(repository: string, at: Date): Promise<Amounts>;
  /**
   * Sets aside what a session may use of its repository's budget of a day, one after the other: together they do not pass
   * it. Where a session has no limit of its own it gets half of what is left, so that others can begin beside it.
   */
  reserve(ask: DayAsk): Promise<DayGrant>;
}

const Row = z.object({ cost: z.number(), tokens: z.coerce.number() });
/** Ids are made a moment before or after the time that stands beside them. */
const MARGIN_MS = 3_600_000;

/** With less than this part of the day left nothing is begun. */
const LEAST_PART = 0.01;
const KEPT_MS = 3 * 86_400_000;
/** What is set aside for a session that was never made is given back. */
const UNMADE_MS = 3_600_000;
const Reserved = z.object({
  session_id: z.string(),
  cost_usd: z.number().nullable(),
  tokens: z.coerce.number().nullable(),
});

export function createSpendingStore(database: Database): SpendingStore {
  return {
    since: (repository, at) => spentSince(database.db, repository, at),
    reserve: (ask) => inTransaction(database, (tx) => reserve(tx, ask)),
  };
}

export async function spentSince(
  db: Database["db"] | Tx,
  repository: string,
  at: Date,
): Promise<Amounts> {
  const { rows } = await sql`select coalesce(sum(cost_usd), 0)::float8 as cost,
          coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens), 0) as tokens
        from sessions where repository = ${repository} and id >= ${firstIdAt(at.getTime() - MARGIN_MS)}::uuid
          and created_at >= ${at}`.execute(db);
  const { cost, tokens } = Row.parse(rows[0]);
  return { costUsd: cost, tokens };
}

async function reserve(tx: Tx, ask: DayAsk): Promise<DayGrant> {
  const { cause, sessionId, repositoryId, repository, since, at, day, session } = ask;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`day_reservations ${repositoryId}`}, 0))`.execute(
    tx,
  );
  const known = await tx
    .selectFrom("day_reservations")
    .select(["session_id", "cost_usd", "tokens"])
    .where("cause", "=", cause)
    .executeTakeFirst();
  if (known !== undefined) {
    const { session_id: id, cost_usd: costUsd, tokens } = Reserved.parse(known);
    return { isOver: false, sessionId: id, limits: { costUsd, tokens } };
  }
  const forgotten = new Date(at.getTime() - KEPT_MS);
  await tx.deleteFrom("day_reservations").where("created_at", "<", forgotten).execute();
  const spent = await spentSince(tx, repository, since);
  const setAside = await setAsideSince(tx, repository, since, at);
  const costUsd = share(day.costUsd, spent.costUsd + setAside.costUsd, session.costUsd);
  const tokens = share(day.tokens, spent.tokens + setAside.tokens, session.tokens);
  if (costUsd === "none" || tokens === "none") return { isOver: true, spent, setAside };
  const limits = { costUsd, tokens: tokens === null ? null : Math.ceil(tokens) };
  await tx
    .insertInto("day_reservations")
    .values({
      cause,
      session_id: sessionId,
      repository_id: repositoryId,
      repository,
      cost_usd: limits.costUsd,
      tokens: limits.tokens,
      created_at: at,
    })
    .execute();
  return { isOver: false, sessionId, limits };
}

/** What a session gets of what is left of the day. */
function share(day: number | null, gone: number, session: number | null): number | null | "none" {
  if (day === null) return session;
  const left = day - gone;
  if (left < day * LEAST_PART) return "none";
  return Math.min(session ?? left / 2, left);
}

/** For sessions and orchestrations that have not ended, and may still use it. */
export async function setAsideSince(
  tx: Database["db"] | Tx,
  repository: string,
  since: Date,
  at: Date,
): Promise<Amounts> {
  const unmade = new Date(at.getTime() - UNMADE_MS);
  const { rows } =
    await sql`select coalesce(sum(greatest(r.cost_usd - used.cost, 0)), 0)::float8 as cost,
      coalesce(sum(greatest(r.tokens - used.tokens, 0)), 0) as tokens
    from day_reservations r left join sessions s on s.id = r.session_id
    left join orchestrations o on o.id = r.session_id
    cross join lateral (
      select coalesce(sum(m.cost_usd), 0) as cost,
        coalesce(sum(m.input_tokens + m.output_tokens + m.cache_read_tokens + m.cache_write_tokens), 0) as tokens
      from sessions m where m.id = s.id or m.orchestration_id = o.id
    ) used
    where r.repository = ${repository} and r.created_at >= ${since}
      and s.completed_at is null and o.ended_at is null
      and (s.id is not null or o.id is not null or r.created_at > ${unmade})`.execute(tx);
  const { cost, tokens } = Row.parse(rows[0]);
  return { costUsd: cost, tokens };
}

/** The least UUID of version 7 of that millisecond, so that the index of ids finds the day. */
export function firstIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
