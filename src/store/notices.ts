import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../core/id.ts";
import { NoticeKind, NoticeState } from "../core/notice.ts";
import type { Database, Tx } from "./database.ts";
import { inTransaction } from "./transaction.ts";

/** What happened to a session, until it is known whom to tell. */
export interface Announcement {
  sessionId: Id;
  kind: NoticeKind;
  at: string;
}

/** One message to one address; its id stays the same over all tries. */
export interface Notice extends Announcement {
  id: Id;
  url: string;
  /** Named by the operator, and not by whoever made the session. */
  listed: boolean;
  /** As it is sent, to the byte. */
  body: string;
}

export interface StoredNotice extends Notice {
  state: NoticeState;
  /** What came of it, or went wrong last. */
  outcome: string | null;
  attempts: number;
  /** When it is tried again. */
  dueAt: string | null;
  finishedAt: string | null;
}

export interface NoticeQuery {
  sessionId?: Id | undefined;
  state?: NoticeState | undefined;
  limit: number;
  before?: Id | undefined;
}

export interface NoticeStore {
  /**
   * Makes the notices of what was announced, some at a time, each once. Answers of how many announcements.
   * @param noticesOf None: nobody wants to know.
   */
  spread(limit: number, noticesOf: (announced: Announcement) => Promise<Notice[]>): Promise<number>;
  /** Those that are due; nobody else gets them for `leaseMs`. Each counts as an attempt. */
  claim(by: { now: Date; leaseMs: number; limit: number }): Promise<StoredNotice[]>;
  told(id: Id, outcome: string, at: Date): Promise<void>;
  putOff(id: Id, outcome: string, dueAt: Date): Promise<void>;
  giveUp(id: Id, outcome: string, at: Date): Promise<void>;
  /** The newest first. */
  list(query: NoticeQuery): Promise<StoredNotice[]>;
  get(id: Id): Promise<StoredNotice | null>;
  /** Makes one wait again that has ended; false: there is none such. */
  again(id: Id, now: Date): Promise<boolean>;
}

const AnnouncementRow = z
  .object({ session_id: z.string(), kind: NoticeKind, at: z.date() })
  .transform(({ session_id: sessionId, kind, at }) => ({ sessionId, kind, at: at.toISOString() }));

const Row = z.object({
  id: z.string(),
  session_id: z.string(),
  kind: NoticeKind,
  url: z.string(),
  listed: z.boolean(),
  body: z.string(),
  state: NoticeState,
  outcome: z.string().nullable(),
  attempts: z.int(),
  created_at: z.date(),
  due_at: z.date().nullable(),
  finished_at: z.date().nullable(),
});

/** In the transaction in which it happens, so that nothing that happened is kept from those who wait for it. */
export async function announceWithin(
  tx: Tx,
  sessionIds: Id[],
  kind: NoticeKind,
  at: Date,
): Promise<void> {
  await sql`insert into announcements (session_id, kind, at)
    select id, ${kind}, ${at} from unnest(${sessionIds}::uuid[]) as told(id)`.execute(tx);
}

export function createNoticeStore(database: Database): NoticeStore {
  const { db } = database;
  const end = (id: Id, state: NoticeState, outcome: string, at: Date) =>
    db
      .updateTable("notices")
      .set({ state, outcome, due_at: null, finished_at: at })
      .where("id", "=", id)
      .execute();

  return {
    spread: (limit, noticesOf) =>
      inTransaction(database, async (tx) => {
        const { rows } = await sql`with due as materialized (
            select id from announcements order by id limit ${limit} for update skip locked
          ) delete from announcements one using due where one.id = due.id
          returning one.session_id, one.kind, one.at`.execute(tx);
        const announced = rows.map((row) => AnnouncementRow.parse(row));
        for (const one of announced)
          for (const notice of await noticesOf(one)) await insert(tx, notice);
        return announced.length;
      }),
    async claim({ now, leaseMs, limit }) {
      const { rows } = await sql`with due as materialized (
          select id from notices where due_at <= ${now} order by due_at limit ${limit} for update skip locked
        ) update notices one
          set attempts = attempts + 1, due_at = ${new Date(now.getTime() + leaseMs)}
        from due where one.id = due.id returning one.*`.execute(db);
      return rows.map(noticeOf);
    },
    async told(id, outcome, at) {
      await end(id, "told", outcome, at);
    },
    async putOff(id, outcome, dueAt) {
      await db
        .updateTable("notices")
        .set({ outcome, due_at: dueAt })
        .where("id", "=", id)
        .where("state", "=", "waiting")
        .execute();
    },
    async giveUp(id, outcome, at) {
      await end(id, "failed", outcome, at);
    },
    async list({ sessionId, state, limit, before }) {
      let query = db.selectFrom("notices").selectAll().orderBy("id", "desc").limit(limit);
      if (sessionId !== undefined) query = query.where("session_id", "=", sessionId);
      if (state !== undefined) query = query.where("state", "=", state);
      if (before !== undefined) query = query.where("id", "<", before);
      return (await query.execute()).map(noticeOf);
    },
    async get(id) {
      const row = await db
        .selectFrom("notices")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? null : noticeOf(row);
    },
    async again(id, now) {
      const { numUpdatedRows } = await db
        .updateTable("notices")
        .set({ state: "waiting", due_at: now, finished_at: null, attempts: 0 })
        .where("id", "=", id)
        .where("state", "<>", "waiting")
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}

async function insert(tx: Tx, notice: Notice): Promise<void> {
  const { id, kind, url, listed, body } = notice;
  const at = new Date(notice.at);
  await tx
    .insertInto("notices")
    .values({
      id,
      session_id: notice.sessionId,
      kind,
      url,
      listed,
      body,
      created_at: at,
      due_at: at,
    })
    .execute();
}

function noticeOf(found: unknown): StoredNotice {
  const row = Row.parse(found);
  return {
    id: row.id,
    sessionId: row.session_id,
    kind: row.kind,
    at: row.created_at.toISOString(),
    url: row.url,
    listed: row.listed,
    body: row.body,
    state: row.state,
    outcome: row.outcome,
    attempts: row.attempts,
    dueAt: row.due_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
