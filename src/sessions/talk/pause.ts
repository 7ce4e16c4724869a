import { sql } from "kysely";
import { conflict, HubError, notFound } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { Pause } from "../../core/session.ts";
import type { Tx } from "../../store/database.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import { duePauses } from "../../store/talk/pauses.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "./event-at.ts";
import { stopWithin } from "../ending/stop.ts";
import { tell } from "./talk.ts";

/** Why a session is paused, and when it goes on by itself; null: when somebody says so. */
export interface PauseReason {
  reason: string;
  until: Date | null;
  sender: string;
}

/**
 * Pauses of sessions that work: the agent is interrupted and waits, its sandbox and its slot are kept, its time does not
 * pass. Every function throws `not_found` for an id that nobody knows.
 */
export interface SessionPauses {
  /** Throws `conflict` unless its agent is at work. Again while it is paused: nothing changes. */
  pause(id: Id, sender: string): Promise<void>;
  /** Throws `conflict` when there is nothing to go on with. Again while it works: nothing changes. */
  resume(id: Id, sender: string): Promise<void>;
}

const ON_REQUEST = "Paused on request";

export function createPauses(deps: SessionDeps): SessionPauses {
  return {
    pause: (id, sender) => pauseSession(deps, id, { reason: ON_REQUEST, until: null, sender }),
    resume: (id, sender) => resumeSession(deps, id, sender),
  };
}

export async function pauseSession(deps: SessionDeps, id: Id, why: PauseReason): Promise<void> {
  await withLocked(deps, id, async (tx, session) => {
    refuseEnding(session);
    if (session.pause !== null) {
      // A person's pause is not one that ends by itself.
      if (why.until === null && session.pause.until !== null)
        await tx
          .updateTable("sessions")
          .set({ resume_due_at: null, pause_reason: why.reason })
          .where("id", "=", id)
          .execute();
      return;
    }
    if (session.status !== "running")
      throw conflict(`The session is not at work (status: ${session.status})`);
    const at = deps.clock.now();
    await tx
      .updateTable("sessions")
      .set({ paused_at: at, pause_reason: why.reason, resume_due_at: why.until })
      .where("id", "=", id)
      .execute();
    const body = { reason: why.reason, until: why.until?.toISOString() ?? null };
    await appendWithin(tx, [{ sessionId: id, events: [eventAt(at, "session.paused", body)] }]);
    await tell(deps, tx, id, { kind: "pause", text: "", sender: why.sender });
  });
}

/** False: it cannot be paused, and the agent hears of the limit. */
export async function pauseForProvider(
  deps: SessionDeps,
  id: Id,
  status: number,
  until: Date,
): Promise<boolean> {
  const how = status === 529 ? "is overloaded" : "takes no more calls for a while";
  const waitMs = Math.max(0, until.getTime() - deps.clock.now().getTime());
  // Not all that were turned away come back at the same moment.
  const part = Number.parseInt(id.slice(-4), 16) / 0xff_ff;
  const due = new Date(until.getTime() + part * Math.min(MOST_SPREAD_MS, waitMs * SPREAD));
  try {
    const reason = `The model's provider ${how} (${status})`;
    await pauseSession(deps, id, { reason, until: due, sender: "hub" });
    return true;
  } catch (error) {
    // It is about to end, or has been told too much.
    const codes: readonly string[] = ["conflict", "rate_limited"];
    if (error instanceof HubError && codes.includes(error.code)) return false;
    throw error;
  }
}
const SPREAD = 0.1;
const MOST_SPREAD_MS = 30_000;

export async function resumeSession(deps: SessionDeps, id: Id, sender: string): Promise<void> {
  await withLocked(deps, id, async (tx, session) => {
    refuseEnding(session);
    if (session.pause === null) {
      if (session.status === "running") return;
      throw conflict(`The session is not paused (status: ${session.status})`);
    }
    await resumeWithin(deps, tx, { ...session, pause: session.pause }, sender);
  });
}

async function resumeWithin(
  deps: SessionDeps,
  tx: Tx,
  { id, pause, deadlineAt: before }: Pick<StoredSession, "id" | "deadlineAt"> & { pause: Pause },
  sender: string,
): Promise<void> {
  const at = deps.clock.now();
  const pausedMs = Math.max(0, at.getTime() - Date.parse(pause.at));
  const deadlineAt = new Date(Date.parse(before ?? "") + pausedMs);
  await sql`update sessions set paused_at = null, pause_reason = null, resume_due_at = null,
        paused_ms = paused_ms + ${pausedMs}, deadline_at = ${deadlineAt} where id = ${id}`.execute(
    tx,
  );
  const body = { pausedMs, deadlineAt: deadlineAt.toISOString() };
  await appendWithin(tx, [{ sessionId: id, events: [eventAt(at, "session.resumed", body)] }]);
  // With the order itself: who reads it must not see the end of before.
  await tell(deps, tx, id, { kind: "resume", text: deadlineAt.toISOString(), sender });
}

/** Has those go on whose time has come, and ends those that have paused for too long. */
export async function lookAtPauses(deps: SessionDeps): Promise<void> {
  const now = deps.clock.now();
  const { pauseMs } = deps.settings;
  const due = await duePauses(deps.database.db, now, new Date(now.getTime() - pauseMs));
  for (const { id, isTooLong } of due)
    try {
      if (isTooLong) await endPaused(deps, id);
      else await resumeDue(deps, id);
    } catch (error) {
      deps.log.warn({ err: error, sessionId: id }, "pause could not be ended");
    }
}

/** Unless somebody has had it go on meanwhile, or paused it for longer. */
async function resumeDue(deps: SessionDeps, id: Id): Promise<void> {
  await withLocked(deps, id, async (tx, session) => {
    const { pause } = session;
    if (pause === null || pause.until === null) return;
    if (Date.parse(pause.until) > deps.clock.now().getTime()) return;
    refuseEnding(session);
    await resumeWithin(deps, tx, { ...session, pause }, "hub");
  });
}

async function endPaused(deps: SessionDeps, id: Id): Promise<void> {
  await withLocked(deps, id, async (tx, session) => {
    if (session.pause === null || session.stopReason !== null) return;
    if (Date.parse(session.pause.at) > deps.clock.now().getTime() - deps.settings.pauseMs) return;
    const hours = Math.round(deps.settings.pauseMs / 3_600_000);
    const reason = `It was paused for more than ${hours} hours: its agent was stopped`;
    await stopWithin(tx, id, reason, deps.clock.now());
  });
}

async function withLocked(
  deps: SessionDeps,
  id: Id,
  work: (tx: Tx, session: StoredSession) => Promise<void>,
): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined) throw notFound("Session");
    await work(tx, session);
  });
}

function refuseEnding({ completedAt, status, ...session }: StoredSession): void {
  if (completedAt !== null) throw conflict(`The session has ended (status: ${status})`);
  const { cancelRequestedAt, stopReason, hearsUntil } = session;
  if (cancelRequestedAt !== null || stopReason !== null || hearsUntil !== null)
    throw conflict("The session is about to end");
}
