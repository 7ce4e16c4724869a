import { sql } from "kysely";
import type { Access } from "../../core/access.ts";
import type { Approval, Decision, OpenApproval, Question, Verdict } from "../../core/approval.ts";
import { conflict, notFound } from "../../core/errors.ts";
import type { EventBody } from "../../core/event.ts";
import { newId } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import { visibleOnly } from "../../core/visible.ts";
import {
  answerWithin,
  approvalByKey,
  approvalsOf,
  insertApprovalWithin,
  openApprovals,
} from "../../store/talk/approvals.ts";
import type { Tx } from "../../store/database.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import { asHubError } from "../../store/failure.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "./event-at.ts";
import { whenTold } from "./told.ts";

/** Questions of one session that wait, and all that it may ask; what is more is not allowed. */
const OPEN = 20;
const ALL = 200;
/** More at once are of no use to a person. */
const OPEN_PAGE = 100;
const DETAIL_CHARS = 4_000;
const SUBJECT_CHARS = 300;
const TIME = "the time limit";
const TOO_MANY: Verdict = {
  decision: "deny",
  reason: "would be one question too many for people, who have not been asked",
};

/** What sessions ask, and people answer. Every function throws `not_found` for a session that nobody knows. */
export interface SessionApprovals {
  /** The oldest first. */
  list(id: Id): Promise<Approval[]>;
  /** What waits for an answer, as far as it is there for who asks; the most urgent first, and no more than a page. */
  open(access: Access): Promise<OpenApproval[]>;
  /** Throws `conflict` when it was answered, or its time is up. */
  answer(
    id: Id,
    approvalId: Id,
    answer: { decision: Decision; note?: string | undefined; by: string },
  ): Promise<Approval>;
}

export function createApprovals(deps: SessionDeps): SessionApprovals {
  const { db } = deps.database;
  return {
    async list(id) {
      if ((await deps.sessions.get(id)) === null) throw notFound("Session");
      return await approvalsOf(db, id).catch((error: unknown) => {
        throw asHubError(error);
      });
    },
    async open({ repositories, orchestrationId }) {
      const now = deps.clock.now();
      const of = { repositories, orchestrationId, now, limit: OPEN_PAGE };
      return await openApprovals(db, of).catch((error: unknown) => {
        throw asHubError(error);
      });
    },
    answer: (id, approvalId, { decision, note, by }) =>
      inTransaction(deps.database, async (tx) => {
        await lockSessions(tx, [id]);
        const asked = (await approvalsOf(tx, id)).find((one) => one.id === approvalId);
        if (asked === undefined) throw notFound("Approval");
        if (asked.decision !== null)
          throw conflict(`It was answered by ${asked.answeredBy}: ${asked.decision}`);
        if (Date.parse(asked.dueAt) <= deps.clock.now().getTime())
          throw conflict("Its time is up: it is not allowed");
        const words = note === undefined ? null : visibleOnly(note);
        await settleWithin(deps, tx, id, asked, { decision, by, note: words });
        return (await approvalsOf(tx, id)).find((one) => one.id === approvalId) ?? asked;
      }),
  };
}

/**
 * Has people asked, once for one key, and waits for their answer; without one, again and again. When the time is up, or
 * too much is asked, the answer is no.
 */
export async function askPeople(
  deps: SessionDeps,
  id: Id,
  question: Question,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<Verdict> {
  const asked = await ask(deps, id, question);
  if (asked === null) return TOO_MANY;
  const leftMs = Math.max(0, Date.parse(asked.dueAt) - deps.clock.now().getTime());
  const found = await whenTold(deps, id, { waitMs: Math.min(waitMs, leftMs), signal }, async () => {
    const { decision } = (await approvalByKey(deps.database.db, id, question.key)) ?? asked;
    return decision;
  });
  if (found === null && deps.clock.now().getTime() >= Date.parse(asked.dueAt))
    await expire(deps, id, question.key);
  const now = (await approvalByKey(deps.database.db, id, question.key)) ?? asked;
  return { decision: now.decision, reason: now.decision === "deny" ? reasonOf(now) : "" };
}

function reasonOf({ answeredBy, note }: Approval): string {
  if (answeredBy === TIME) return "has to be allowed by a person, and nobody has answered in time";
  const words = note === null || note === "" ? "" : `: ${note}`;
  return `has to be allowed by a person, who has said no${words}`;
}

/** Null: it has asked too much. */
async function ask(deps: SessionDeps, id: Id, question: Question): Promise<Approval | null> {
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || session.completedAt !== null) throw notFound("Session");
    const before = await approvalByKey(tx, id, question.key);
    if (before !== null) return before;
    const all = await approvalsOf(tx, id);
    const open = all.filter(({ decision }) => decision === null);
    if (all.length >= ALL || open.length >= OPEN) return null;
    const askedAt = deps.clock.now();
    const latest = Date.parse(session.deadlineAt ?? "") || Infinity;
    const dueAt = new Date(Math.min(askedAt.getTime() + deps.settings.approvalMs, latest));
    const redacted = {
      ...question,
      subject: deps.redaction.text(question.subject.slice(0, SUBJECT_CHARS)).toWellFormed(),
      detail: deps.redaction.text(question.detail.slice(0, DETAIL_CHARS)).toWellFormed(),
    };
    const asked = { ...redacted, id: newId(), number: all.length + 1, askedAt, dueAt };
    await insertApprovalWithin(tx, id, asked);
    const { kind, subject, detail, number } = asked;
    const body: EventBody = { id: asked.id, number, kind, subject, detail };
    const told = eventAt(askedAt, "approval.requested", { ...body, dueAt: dueAt.toISOString() });
    await appendWithin(tx, [{ sessionId: id, events: [told] }]);
    return await approvalByKey(tx, id, question.key);
  });
}

async function expire(deps: SessionDeps, id: Id, key: string): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const asked = await approvalByKey(tx, id, key);
    if (asked === null || asked.decision !== null) return;
    await settleWithin(deps, tx, id, asked, { decision: "deny", by: TIME, note: null });
  });
}

async function settleWithin(
  deps: SessionDeps,
  tx: Tx,
  sessionId: Id,
  { id, number }: Approval,
  answer: { decision: Decision; by: string; note: string | null },
): Promise<void> {
  const at = deps.clock.now();
  await answerWithin(tx, id, { ...answer, at });
  const events = [eventAt(at, "approval.answered", { id, number, ...answer })];
  await appendWithin(tx, [{ sessionId, events }]);
  await sql`select pg_notify('claude_hub_commands', ${sessionId})`.execute(tx);
}
