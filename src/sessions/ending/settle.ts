import { budgetExceeded } from "../../core/errors.ts";
import type { NewEvent } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import { lockSessions } from "../../store/log/events.ts";
import { resultWithin } from "../../store/sessions/results.ts";
import type { StoredResult } from "../../store/sessions/results.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { endWithin } from "./ending.ts";
import { eventAt } from "../talk/event-at.ts";
import { whyNotBegun } from "../job/forge-wait.ts";
import type { Ending } from "./ending.ts";
import { recordLostPushes } from "./lost-pushes.ts";

/** What is known of a sandbox when it has been stopped. */
export interface Remains {
  /** The last thing that its runner printed; of use when there is no result. */
  lastWords: string;
}

/** Gives a session whose sandbox is gone the status that it deserves, once. */
export async function settle(deps: SessionDeps, id: Id, remains: Remains): Promise<void> {
  await recordLostPushes(deps, id);
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || session.completedAt !== null) return;
    const result = await resultWithin(tx, id);
    const at = deps.clock.now();
    const notBegun = isDue(session, at) ? await whyNotBegun(tx, id) : null;
    await endWithin(tx, id, endingOf(deps, session, { result, notBegun, ...remains }, at), at);
  });
}

function endingOf(
  deps: SessionDeps,
  session: StoredSession,
  {
    result,
    notBegun,
    lastWords,
  }: Remains & { result: StoredResult | null; notBegun: string | null },
  at: Date,
): Ending {
  const name = session.sandboxName;
  const hadSandbox = session.sandboxCreatedAt !== null;
  const stopped = (reason: string): NewEvent[] =>
    hadSandbox ? [eventAt(at, "sandbox.stopped", { name, reason })] : [];
  const { stopReason } = session;
  const isStopped = stopReason !== null && session.cancelRequestedAt === null;
  // Who finished all the same has finished.
  if (isStopped && result?.outcome !== "completed")
    return { status: "failed", error: stopReason, events: stopped("stopped by the hub") };
  if (result !== null) {
    const events = stopped("the session has ended");
    const { summary } = result;
    switch (result.outcome) {
      case "completed":
        return { status: "completed", error: null, summary, events };
      case "cancelled":
        return { status: "cancelled", error: result.error ?? "Cancelled on request", events };
      case "timed_out":
        return {
          status: "failed",
          error: minutesUsedUp(session) ?? result.error ?? timedOut(session),
          events,
        };
      case "failed":
        return { status: "failed", error: result.error ?? "The agent failed", events };
      default:
        return result.outcome satisfies never;
    }
  }
  if (session.cancelRequestedAt !== null)
    return { status: "cancelled", error: "Cancelled on request", events: stopped("cancelled") };
  if (isDue(session, at) && session.pause === null)
    return {
      status: "failed",
      error: `${minutesUsedUp(session) ?? timedOut(session)}${notBegun === null ? "" : `: ${notBegun}`}`,
      events: stopped("time limit"),
    };
  const why = deps.redaction.text(lastWords.trim()).slice(-1_000);
  const error = `The sandbox ended before it had delivered a result${why === "" ? "" : `: ${why}`}`;
  const events = hadSandbox ? [eventAt(at, "sandbox.died", { name, reason: why })] : [];
  return { status: "failed", error, events };
}

function isDue({ deadlineAt }: StoredSession, at: Date): boolean {
  return deadlineAt !== null && Date.parse(deadlineAt) <= at.getTime();
}

function timedOut(session: StoredSession): string {
  return `The time limit of ${Math.round(limitMs(session) / 1_000)} s was reached`;
}

/** Where it was not the time limit of every session that ended this one, but its own. */
function minutesUsedUp(session: StoredSession): string | null {
  const { minutes } = session.budget;
  if (minutes === null || Math.round(minutes * 60_000) > limitMs(session)) return null;
  return `${budgetExceeded("minutes", minutes).message}: its agent was stopped`;
}

function limitMs({ admittedAt, deadlineAt, pausedMs }: StoredSession): number {
  return Date.parse(deadlineAt ?? "") - Date.parse(admittedAt ?? "") - pausedMs;
}
