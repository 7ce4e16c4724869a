import { sql } from "kysely";
import { z } from "zod";
import { issueThread } from "../../core/delivery.ts";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";
import { claimRows, holdRows, isFree, releaseRows } from "../lease.ts";
import type { Lease } from "../lease.ts";
import { ASKED_COLUMNS, askedOf, askedValues, isAt } from "./asked.ts";
import type { Asked, Places } from "./asked.ts";

/** What a session was asked for. */
export const ThreadKind = z.enum(["work", "plan", "review", "repair"]);
export type ThreadKind = z.infer<typeof ThreadKind>;

/** A session that somebody has asked for on a thread. */
export interface ThreadSession extends Asked {
  sessionId: Id;
  kind: ThreadKind;
}

export interface ThreadSessionStore {
  /** Answers the one that there is already for this cause. */
  begin(made: Omit<ThreadSession, "state" | "commentId" | "shown">): Promise<ThreadSession>;
  /** Newest first. */
  ofThread(repositoryId: number, number: number, limit: number): Promise<ThreadSession[]>;
  get(sessionId: Id): Promise<ThreadSession | null>;
  byCause(cause: string): Promise<ThreadSession | null>;
  /** Those whose end has not been told. */
  liveIn(places: Places, limit: number): Promise<ThreadSession[]>;
  /** Live ones that no other hub tells of; they are this hub's for `leaseMs`. */
  claimLive(by: Lease & { limit: number }): Promise<ThreadSession[]>;
  /** Whether it is still this hub's, for `leaseMs` from now. */
  hold(sessionId: Id, lease: Lease): Promise<boolean>;
  /** Whether somebody may still make its session: a delivery that waits, or the sweep that mends checks. */
  isAwaited(thread: Pick<ThreadSession, "sessionId" | "repository" | "kind">): Promise<boolean>;
  /** Whether something that was said on the thread is not worked off yet, so that whoever said it may still wait for a sign. */
  mayOweSign(thread: Pick<ThreadSession, "repositoryId" | "number">): Promise<boolean>;
  show(sessionId: Id, commentId: number, shown: string): Promise<void>;
  told(sessionId: Id): Promise<void>;
  /** Gives back what a hub had claimed that is gone. */
  release(executorId: string): Promise<void>;
}

/** By then nobody looks at the checks any more. */
const REPAIRS_FORGOTTEN_SECONDS = 2 * 86_400;
const AwaitedRow = z.object({ awaited: z.boolean() });

const Row = z
  .object({ ...ASKED_COLUMNS, session_id: z.string(), kind: ThreadKind })
  .transform((row): ThreadSession => ({
    ...askedOf(row),
    sessionId: row.session_id,
    kind: row.kind,
  }));

export function createThreadSessionStore({ db }: Database): ThreadSessionStore {
  const table = () => db.selectFrom("thread_sessions").selectAll();
  return {
    async begin({ sessionId, kind, ...made }) {
      await db
        .insertInto("thread_sessions")
        .values({ session_id: sessionId, kind, ...askedValues(made) })
        .onConflict((conflict) => conflict.column("cause").doNothing())
        .execute();
      return Row.parse(await table().where("cause", "=", made.cause).executeTakeFirstOrThrow());
    },
    async ofThread(repositoryId, number, limit) {
      const rows = await table()
        .where("repository_id", "=", repositoryId)
        .where("number", "=", number)
        .orderBy("created_at", "desc")
        .orderBy("session_id", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => Row.parse(row));
    },
    async get(sessionId) {
      const row = await table().where("session_id", "=", sessionId).executeTakeFirst();
      return row === undefined ? null : Row.parse(row);
    },
    async byCause(cause) {
      const row = await table().where("cause", "=", cause).executeTakeFirst();
      return row === undefined ? null : Row.parse(row);
    },
    async liveIn(places, limit) {
      const { rows } = await sql`select * from thread_sessions
        where state = 'live' and ${isAt(places)} order by created_at limit ${limit}`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async claimLive({ limit, ...lease }) {
      const due = sql`where state = 'live' and ${isFree(lease.executorId)} order by created_at`;
      const what = { table: "thread_sessions", key: ["session_id"], due, limit };
      return (await claimRows(db, what, lease)).map((row) => Row.parse(row));
    },
    hold: (id, lease) => holdRows(db, "thread_sessions", sql`session_id = ${id}`, lease),
    async isAwaited({ sessionId, repository, kind }) {
      const ageSeconds = kind === "repair" ? REPAIRS_FORGOTTEN_SECONDS : 0;
      const { rows } = await sql`select exists (
          select 1 from deliveries where state = 'waiting' and lower(repository) = ${repository.toLowerCase()}
        ) or exists (
          select 1 from thread_sessions where session_id = ${sessionId}
            and created_at > now() - make_interval(secs => ${ageSeconds})
        ) or exists (select 1 from sessions where id = ${sessionId}) as awaited`.execute(db);
      return AwaitedRow.parse(rows[0]).awaited;
    },
    async mayOweSign({ repositoryId, number }) {
      const { rows } = await sql`select exists (
          select 1 from deliveries where state = 'waiting' and thread = ${issueThread(repositoryId, number)}
        ) as awaited`.execute(db);
      return AwaitedRow.parse(rows[0]).awaited;
    },
    async show(sessionId, commentId, shown) {
      await db
        .updateTable("thread_sessions")
        .set({ comment_id: commentId, shown })
        .where("session_id", "=", sessionId)
        .execute();
    },
    async told(sessionId) {
      await db
        .updateTable("thread_sessions")
        .set({ state: "told", claimed_by: null, claimed_until: null })
        .where("session_id", "=", sessionId)
        .execute();
    },
    release: (executorId) => releaseRows(db, "thread_sessions", executorId),
  };
}
