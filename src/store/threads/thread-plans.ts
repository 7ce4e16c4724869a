import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";
import { claimRows, holdRows, isFree, releaseRows } from "../lease.ts";
import type { Lease } from "../lease.ts";
import { ASKED_COLUMNS, askedOf, askedValues, isAt } from "./asked.ts";
import type { Asked, Places } from "./asked.ts";

/** A plan that somebody has asked for on a thread; an orchestration makes it and runs it. */
export interface ThreadPlan extends Asked {
  orchestrationId: Id;
  /** The version of the plan that its comment shows; 0: none. */
  shownVersion: number;
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
  /** Those whose end has not been told. */
  liveIn(places: Places, limit: number): Promise<ThreadPlan[]>;
  /**
   * Live ones that no other hub tells of and of which there may be something to tell: they are this hub's for `leaseMs`. One
   * that waits to be approved, and is shown, rests until somebody does something about it. Those that were looked at longest
   * ago come first.
   */
  claimLive(by: Lease & { limit: number }): Promise<ThreadPlan[]>;
  /** Whether it is still this hub's, for `leaseMs` from now. */
  hold(orchestrationId: Id, lease: Lease): Promise<boolean>;
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
  .object({ ...ASKED_COLUMNS, orchestration_id: z.string(), shown_version: z.int() })
  .transform((row): ThreadPlan => ({
    ...askedOf(row),
    orchestrationId: row.orchestration_id,
    shownVersion: row.shown_version,
  }));

export function createThreadPlanStore({ db }: Database): ThreadPlanStore {
  const table = () => db.selectFrom("thread_plans").selectAll();
  const change = (id: Id) => db.updateTable("thread_plans").where("orchestration_id", "=", id);
  return {
    async begin({ orchestrationId, ...made }) {
      await db
        .insertInto("thread_plans")
        .values({ orchestration_id: orchestrationId, ...askedValues(made) })
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
    async liveIn(places, limit) {
      const { rows } = await sql`select * from thread_plans
        where state = 'live' and ${isAt(places)} order by created_at limit ${limit}`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async claimLive({ limit, ...lease }) {
      const due = sql`where state = 'live' and ${isFree(lease.executorId)} and not exists (
          select 1 from orchestrations o where o.id = thread_plans.orchestration_id
            and o.state = 'proposed' and o.plan_version = thread_plans.shown_version
        ) order by looked_at nulls first`;
      const set = sql`looked_at = now()`;
      const what = { table: "thread_plans", key: ["orchestration_id"], due, limit, set };
      return (await claimRows(db, what, lease)).map((row) => Row.parse(row));
    },
    hold: (id, lease) => holdRows(db, "thread_plans", sql`orchestration_id = ${id}`, lease),
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
    release: (executorId) => releaseRows(db, "thread_plans", executorId),
  };
}
