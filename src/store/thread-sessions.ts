import { sql } from "kysely";
import { z } from "zod";
import { issueThread } from "../core/delivery.ts";
import type { Id } from "../core/id.ts";
import type { Database } from "./database.ts";

/** What a session was asked for. */
export const ThreadKind = z.enum(["work", "plan", "review", "repair"]);
export type ThreadKind = z.infer<typeof ThreadKind>;

/** Where on the forge the question stands; reactions go there, and answers. */
export const Source = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("thread") }),
  z.object({ kind: z.literal("comment"), id: z.int() }),
  z.object({ kind: z.literal("lineComment"), id: z.int(), firstId: z.int() }),
  z.object({ kind: z.literal("review"), id: z.int() }),
]);
export type Source = z.infer<typeof Source>;

/** A session that somebody has asked for on a thread (an issue or a pull request) of a forge. */
export interface ThreadSession {
  sessionId: Id;
  /** What it was made for, known from the forge: one cause makes one session. */
  cause: string;
  repositoryId: number;
  repository: string;
  number: number;
  kind: ThreadKind;
  asker: { id: number; login: string };
  source: Source;
  /** `live` until its end has been told. */
  state: "live" | "told";
  /** The comment that tells of it. */
  commentId: number | null;
  /** What that comment says, as a hash. */
  shown: string | null;
  createdAt: string;
}

export interface ThreadSessionStore {
  /** Answers the one that there is already for this cause. */
  begin(made: Omit<ThreadSession, "state" | "commentId" | "shown">): Promise<ThreadSession>;
  /** Newest first. */
  ofThread(repositoryId: number, number: number, limit: number): Promise<ThreadSession[]>;
  get(sessionId: Id): Promise<ThreadSession | null>;
  byCause(cause: string): Promise<ThreadSession | null>;
  /** Those whose end has not been told, in some repositories or in all of one owner. */
  liveIn(
    where: { repositoryIds: readonly number[] } | { owner: string },
    limit: number,
  ): Promise<ThreadSession[]>;
  /** Live ones that no other hub tells of; they are this hub's for `leaseMs`. */
  claimLive(by: { executorId: string; leaseMs: number; limit: number }): Promise<ThreadSession[]>;
  /** Whether it is still this hub's, for `leaseMs` from now. */
  hold(sessionId: Id, by: { executorId: string; leaseMs: number }): Promise<boolean>;
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
  .object({
    session_id: z.string(),
    cause: z.string(),
    repository_id: z.coerce.number(),
    repository: z.string(),
    number: z.int(),
    kind: ThreadKind,
    asker_id: z.coerce.number(),
    asker: z.string(),
    source: Source,
    state: z.enum(["live", "told"]),
    comment_id: z.coerce.number().nullable(),
    shown: z.string().nullable(),
    created_at: z.date(),
  })
  .transform((row): ThreadSession => ({
    sessionId: row.session_id,
    cause: row.cause,
    repositoryId: row.repository_id,
    repository: row.repository,
    number: row.number,
    kind: row.kind,
    asker: { id: row.asker_id, login: row.asker },
    source: row.source,
    state: row.state,
    commentId: row.comment_id,
    shown: row.shown,
    createdAt: row.created_at.toISOString(),
  }));

export function createThreadSessionStore({ db }: Database): ThreadSessionStore {
  const table = () => db.selectFrom("thread_sessions").selectAll();
  return {
    async begin({ asker, ...made }) {
      await db
        .insertInto("thread_sessions")
        .values({
          session_id: made.sessionId,
          cause: made.cause,
          repository_id: made.repositoryId,
          repository: made.repository,
          number: made.number,
          kind: made.kind,
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
    async liveIn(where, limit) {
      const which =
        "owner" in where
          ? sql`lower(split_part(repository, '/', 1)) = ${where.owner.toLowerCase()}`
          : sql`repository_id = any(${[...where.repositoryIds]})`;
      const { rows } = await sql`select * from thread_sessions
        where state = 'live' and ${which} order by created_at limit ${limit}`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async claimLive({ executorId, leaseMs, limit }) {
      const { rows } = await sql`with due as materialized (
          select session_id from thread_sessions
          where state = 'live'
            and (claimed_by = ${executorId} or claimed_until is null or claimed_until <= now())
          order by created_at limit ${limit} for update skip locked
        ) update thread_sessions one set claimed_by = ${executorId},
          claimed_until = now() + make_interval(secs => ${leaseMs / 1_000})
        from due where one.session_id = due.session_id returning one.*`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async hold(sessionId, { executorId, leaseMs }) {
      const { numAffectedRows } = await sql`update thread_sessions
        set claimed_until = now() + make_interval(secs => ${leaseMs / 1_000})
        where session_id = ${sessionId} and claimed_by = ${executorId}`.execute(db);
      return numAffectedRows === 1n;
    },
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
    async release(executorId) {
      await db
        .updateTable("thread_sessions")
        .set({ claimed_by: null, claimed_until: null })
        .where("claimed_by", "=", executorId)
        .execute();
    },
  };
}
