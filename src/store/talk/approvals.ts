import { sql } from "kysely";
import { z } from "zod";
import { Approval, Decision } from "../../core/approval.ts";
import type { OpenApproval, Question } from "../../core/approval.ts";
import type { Id } from "../../core/id.ts";
import type { Database, Db, Tx } from "../database.ts";

const time = z.date().transform((date) => date.toISOString());
const Row = z.object({
  id: z.string(),
  number: z.int(),
  kind: Approval.shape.kind,
  subject: z.string(),
  detail: z.string(),
  asked_at: time,
  due_at: time,
  decision: Decision.nullable(),
  answered_by: z.string().nullable(),
  note: z.string().nullable(),
  answered_at: time.nullable(),
});

const Owner = z.object({ session_id: z.string() });
const InRepository = { repository: z.string() };

/** The oldest first. */
export async function approvalsOf(db: Db | Tx, sessionId: Id): Promise<Approval[]> {
  const rows = await db
    .selectFrom("approvals")
    .selectAll()
    .where("session_id", "=", sessionId)
    .orderBy("number")
    .execute();
  return rows.map(toApproval);
}

export async function approvalByKey(
  db: Db | Tx,
  sessionId: Id,
  key: string,
): Promise<Approval | null> {
  const row = await db
    .selectFrom("approvals")
    .selectAll()
    .where("session_id", "=", sessionId)
    .where("key", "=", key)
    .executeTakeFirst();
  return row === undefined ? null : toApproval(row);
}

/** A question, and whose it is. */
export interface AskedApproval extends Approval {
  sessionId: Id;
}

/** Those that wait for an answer, of these repositories and this orchestration (null: of all); the most urgent first. */
export async function openApprovals(
  db: Db,
  of: {
    repositories: readonly string[] | null;
    orchestrationId: Id | null;
    now: Date;
    limit: number;
  },
): Promise<OpenApproval[]> {
  const { repositories, orchestrationId, now, limit } = of;
  const { rows } =
    await sql`select a.*, s.repository from approvals a join sessions s on s.id = a.session_id
    where a.answered_at is null and a.due_at > ${now}
      ${repositories === null ? sql`` : sql`and s.repository = any(${[...repositories]}::text[])`}
      ${orchestrationId === null ? sql`` : sql`and s.orchestration_id = ${orchestrationId}`}
    order by a.due_at, a.id limit ${limit}`.execute(db);
  return rows.map((row) => {
    const { session_id: sessionId, repository } = Owner.extend(InRepository).parse(row);
    return { ...toApproval(row), sessionId, repository };
  });
}

export interface ApprovalReads {
  /** What these have asked, their sessions included, as far as it is open or was closed since then; the oldest first. */
  among(of: {
    sessionIds: readonly Id[];
    orchestrationIds: readonly Id[];
    closedSince: Date;
  }): Promise<AskedApproval[]>;
}

export function createApprovalReads({ db }: Database): ApprovalReads {
  return {
    async among({ sessionIds, orchestrationIds, closedSince }) {
      if (sessionIds.length + orchestrationIds.length === 0) return [];
      const { rows } = await sql`select a.* from approvals a join sessions s on s.id = a.session_id
        where (s.id = any(${[...sessionIds]}::uuid[]) or s.orchestration_id = any(${[...orchestrationIds]}::uuid[]))
          and (a.answered_at is null or a.answered_at >= ${closedSince})
        order by a.asked_at, a.id limit ${READ_AT_ONCE}`.execute(db);
      return rows.map((row) => ({ ...toApproval(row), sessionId: Owner.parse(row).session_id }));
    },
  };
}
const READ_AT_ONCE = 1_000;

/** In a session that the transaction has locked. */
export async function insertApprovalWithin(
  tx: Tx,
  sessionId: Id,
  asked: Question & { id: Id; number: number; askedAt: Date; dueAt: Date },
): Promise<void> {
  const { askedAt, dueAt, ...rest } = asked;
  await tx
    .insertInto("approvals")
    .values({ ...rest, session_id: sessionId, asked_at: askedAt, due_at: dueAt })
    .execute();
}

/** In a session that the transaction has locked. */
export async function answerWithin(
  tx: Tx,
  id: Id,
  answer: { decision: Decision; by: string; note: string | null; at: Date },
): Promise<void> {
  await tx
    .updateTable("approvals")
    .set({
      decision: answer.decision,
      answered_by: answer.by,
      note: answer.note,
      answered_at: answer.at,
    })
    .where("id", "=", id)
    .execute();
}

/** Closes what nobody has answered: of a session that the transaction has locked, and that ends. */
export async function closeApprovalsWithin(tx: Tx, sessionId: Id, at: Date): Promise<void> {
  await sql`update approvals set decision = 'deny', answered_by = 'the session has ended', answered_at = ${at}
    where session_id = ${sessionId} and answered_at is null`.execute(tx);
}

function toApproval(row: unknown): Approval {
  const r = Row.parse(row);
  return {
    id: r.id,
    number: r.number,
    kind: r.kind,
    subject: r.subject,
    detail: r.detail,
    askedAt: r.asked_at,
    dueAt: r.due_at,
    decision: r.decision,
    answeredBy: r.answered_by,
    note: r.note,
    answeredAt: r.answered_at,
  };
}
