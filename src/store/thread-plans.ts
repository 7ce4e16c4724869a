import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../core/id.ts";
import type { Database } from "./database.ts";
import { Source } from "./thread-sessions.ts";

/** A plan that somebody has asked for on a thread of a forge; an orchestration makes it and runs it. */
export interface ThreadPlan {
  orchestrationId: Id;
  /** What it was made for, known from the forge: one cause makes one plan. */
  cause: string;
  repositoryId: number;
  repository: string;
  number: number;
  asker: { id: number; login: string };
  source: Source;
  /** `live` until its end has been told. */
  state: "live" | "told";
  /** The comment that tells of it. */
  commentId: number | null;
  /** What that comment says, as a hash. */
  shown: string | null;
  /** The version of the plan that it shows; 0: none. */
  shownVersion: number;
  createdAt: string;
}

export interface ThreadPlanStore {
  /** Answers the one that there is already for this cause. */
  begin(
    made: Omit<ThreadPlan, "state" | "commentId" | "shown" | "shownVersion">,
  ): Promise<ThreadPlan>;
  /** Newest first. */
  ofThread(repositoryId: number, number: number, limit: number): Promise<ThreadPlan[]>;
  get(orchestrationId: Id): Promise<ThreadPlan | null>;
  byCause(cause: string): Promise<ThreadPlan | null>;
  /** Those whose end has not been told, in some repositories or in all of one owner. */
  liveIn(
    where: { repositoryIds: readonly number[] } | { owner: string },
    limit: number,
  ): Promise<ThreadPlan[]>;
  /**
   * Live ones that no other hub tells of and of which there may be something to tell: they are this hub's for `leaseMs`. One
   * that waits to be approved, and is shown, rests until somebody does something about it. Those that were looked at longest
   * ago come first.
   */
  claimLive(by: { executorId: string; leaseMs: number; limit: number }): Promise<ThreadPlan[]>;
  /** Whether it is still this hub's, for `leaseMs` from now. */
  hold(orchestrationId: Id, by: { executorId: string; leaseMs: number }): Promise<boolean>;
  /** Whether a delivery that waits may still make its orchestration. */
  isAwaited(plan: Pick<ThreadPlan, "orchestrationId" | "repository">): Promise<boolean>;
  show(
    orchestrationId: Id,
    what: { commentId: number; shown: string; version: number },
  ): Promise<void>;
  told(orchestrationId: Id): Promise<void>;
  /** Gives back what a hub had claimed that is gone. */
  release(executorId: string): Promise<void>;
}

const Row = z
  .object({
    orchestration_id: z.string(),
    cause: z.string(),
    repository_id: z.coerce.number(),
    repository: z.string(),
    number: z.int(),
    asker_id: z.coerce.number(),
    asker: z.string(),
    source: Source,
    state: z.enum(["live", "told"]),
    comment_id: z.coerce.number().nullable(),
    shown: z.string().nullable(),
    shown_version: z.int(),
    created_at: z.date(),
  })
  .transform((row): ThreadPlan => ({
    orchestrationId: row.orchestration_id,
    cause: row.cause,
    repositoryId: row.repository_id,
    repository: row.repository,
    number: row.number,
    asker: { id: row.asker_id, login: row.asker },
    source: row.source,
    state: row.state,
    commentId: row.comment_id,
    shown: row.shown,
    shownVersion: row.shown_version,
    createdAt: row.created_at.toISOString(),
  }));

export function createThreadPlanStore({ db }: Database): ThreadPlanStore {
  const table = () => db.selectFrom("thread_plans").selectAll();
  const change = (id: Id) => db.updateTable("thread_plans").where("orchestration_id", "=", id);
  return {
    async begin({ asker, ...made }) {
      await db
        .insertInto("thread_plans")
        .values({
          orchestration_id: made.orchestrationId,
          cause: made.cause,
          repository_id: made.repositoryId,
          repository: made.repository,
          number: made.number,
          asker_id: asker.id,
          asker: asker.login,
          source: JSON.stringify(made.source),
          created_at: made.createdAt,
        })
        .onConflict((conflict) => conflict.column("cause").doNothing())
        .execute();
      return Row.parse(await table().where("cause", "=", made.cause).executeTakeFirstOrThrow());
    },
    async ofThread(repositoryId, number, limit) {
      const rows = await table()
        .where("repository_id", "=", repositoryId)
        .where("number", "=", number)
        .orderBy("created_at", "desc")
        .orderBy("orchestration_id", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => Row.parse(row));
    },
    async get(id) {
      const row = await table().where("orchestration_id", "=", id).executeTakeFirst();
      return row === undefined ? null : Row.parse(row);
    },
    async byCause(cause) {
      const row = await table().where("cause", "=", cause).executeTakeFirst();
      return row === undefined ? null : Row.parse(row);
    },
    async liveIn(where, limit) {
      const which =
        "owner" in where
          ? sql`lower(split_part(repository, '/', 1)) = ${where.owner.toLowerCase()}`
          : sql`repository_id = any(${[...where.repositoryIds]})`;
      const { rows } = await sql`select * from thread_plans
        where state = 'live' and ${which} order by created_at limit ${limit}`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async claimLive({ executorId, leaseMs, limit }) {
      const { rows } = await sql`with due as materialized (
          select p.orchestration_id from thread_plans p left join orchestrations o on o.id = p.orchestration_id
          where p.state = 'live'
            and (o.state is distinct from 'proposed' or p.shown_version <> o.plan_version)
            and (p.claimed_by = ${executorId} or p.claimed_until is null or p.claimed_until <= now())
          order by p.looked_at nulls first limit ${limit} for update of p skip locked
        ) update thread_plans one set claimed_by = ${executorId},
          claimed_until = now() + make_interval(secs => ${leaseMs / 1_000}), looked_at = now()
        from due where one.orchestration_id = due.orchestration_id returning one.*`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async hold(id, { executorId, leaseMs }) {
      const { numAffectedRows } = await sql`update thread_plans
        set claimed_until = now() + make_interval(secs => ${leaseMs / 1_000})
        where orchestration_id = ${id} and claimed_by = ${executorId}`.execute(db);
      return numAffectedRows === 1n;
    },
    async isAwaited({ orchestrationId, repository }) {
      const { rows } = await sql`select exists (
          select 1 from deliveries where state = 'waiting' and lower(repository) = ${repository.toLowerCase()}
        ) or exists (select 1 from orchestrations where id = ${orchestrationId}) as awaited`.execute(
        db,
      );
      return z.object({ awaited: z.boolean() }).parse(rows[0]).awaited;
    },
    async show(id, { commentId, shown, version }) {
      await change(id).set({ comment_id: commentId, shown, shown_version: version }).execute();
    },
    async told(id) {
      await change(id).set({ state: "told", claimed_by: null, claimed_until: null }).execute();
    },
    async release(executorId) {
      await db
        .updateTable("thread_plans")
        .set({ claimed_by: null, claimed_until: null })
        .where("claimed_by", "=", executorId)
        .execute();
    },
  };
}
