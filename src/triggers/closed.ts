import { HubError } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import type { ReviewGate } from "../store/threads/review-gates.ts";
import type { ForgeRepository } from "../forge/forge.ts";
import type { TriggerDeps } from "./deps.ts";
import { isAboutThread } from "./payload.ts";
import type { ThreadEvent } from "./payload.ts";
import { endGates } from "./review/end.ts";
import type { Rule } from "./rule.ts";

const KNOWN_SESSIONS = 50;

/** What becomes of a thread on which nothing is to be done any more, by the event. */
const ENDS: Record<string, { reason: string; isThere: string | null }> = {
  "issues.closed": { reason: "it was closed", isThere: "it is open again" },
  "pull_request.closed": { reason: "it was closed", isThere: "it is open again" },
  "issues.deleted": { reason: "it was deleted", isThere: "it is there, and open" },
  // GitHub leads on to where it is now.
  "issues.transferred": { reason: "it went to another repository", isThere: null },
};

/** Work on what has been closed, or is gone, is ended. */
export const closedRule: Rule = {
  name: "closed",
  async decide(deps, repository, event) {
    const end = ENDS[`${event.event}.${event.action}`];
    if (end === undefined || !isAboutThread(event)) return null;
    const live = await liveOf(deps, event);
    if (live.length === 0) return "nothing was at work on it";
    // Deliveries come late, and in any order.
    if (end.isThere !== null && (await isOpen(repository, event))) return end.isThere;
    return {
      would: `ends ${live.length} sessions, since ${end.reason}`,
      async act() {
        const count = await stopAll(deps, event);
        return { state: "done", outcome: `${count} sessions are ended, since ${end.reason}` };
      },
    };
  },
};

async function isOpen(
  repository: Pick<ForgeRepository, "issue">,
  { number }: ThreadEvent,
): Promise<boolean> {
  try {
    return (await repository.issue(number)).state === "open";
  } catch (error) {
    if (error instanceof HubError && error.code === "not_found") return false;
    throw error;
  }
}

/** Ends what was asked for on a thread. Answers how many sessions and plans that are. */
export async function stopAll(deps: TriggerDeps, event: ThreadEvent): Promise<number> {
  let count = 0;
  for (const work of await liveOf(deps, event)) count += await stopWork(deps, work);
  return count;
}

/** What is at work: a session, a plan with all of its sessions, or a review that nobody has asked for. */
export type Work = { repository: string } & (
  | { sessionId: Id }
  | { orchestrationId: Id }
  | { gate: ReviewGate }
);

export async function stopWork(
  deps: Pick<TriggerDeps, "sessions" | "plans" | "review">,
  work: Work,
): Promise<number> {
  if ("gate" in work) {
    await endGates(deps, [work.gate], { state: "skipped", reason: "the bot cannot work there" });
    return 1;
  }
  return "sessionId" in work
    ? await stop(deps, work.sessionId)
    : await stopPlan(deps, work.orchestrationId);
}

/** What was asked for in some repositories, and whose end has not been told; and reviews that nobody has asked for. */
export async function liveWorkIn(
  { threads, threadPlans, review }: Pick<TriggerDeps, "threads" | "threadPlans" | "review">,
  where: Parameters<TriggerDeps["threads"]["liveIn"]>[0],
  limit: number,
): Promise<Work[]> {
  const [sessions, plans, gates] = await Promise.all([
    threads.liveIn(where, limit),
    threadPlans.liveIn(where, limit),
    review.gates.liveIn(where, limit),
  ]);
  return [...sessions, ...plans, ...gates.map((gate) => ({ repository: gate.repository, gate }))];
}

async function liveOf(
  { threads, threadPlans }: TriggerDeps,
  { repository, number }: ThreadEvent,
): Promise<Work[]> {
  const [sessions, plans] = await Promise.all([
    threads.ofThread(repository.id, number, KNOWN_SESSIONS),
    threadPlans.ofThread(repository.id, number, KNOWN_SESSIONS),
  ]);
  return [...sessions, ...plans].filter(({ state }) => state === "live");
}

/** Answers 1, or 0 when it has ended already. */
export async function stop(deps: Pick<TriggerDeps, "sessions">, sessionId: Id): Promise<number> {
  return await ifOpen(deps.sessions.cancel(sessionId));
}

/** The same of a plan, with all of its sessions. */
export async function stopPlan(
  deps: Pick<TriggerDeps, "plans">,
  orchestrationId: Id,
): Promise<number> {
  return await ifOpen(deps.plans.cancel(orchestrationId));
}

async function ifOpen(cancelled: Promise<unknown>): Promise<number> {
  try {
    await cancelled;
    return 1;
  } catch (error) {
    // It has ended meanwhile, or was never made.
    if (error instanceof HubError && (error.code === "conflict" || error.code === "not_found"))
      return 0;
    throw error;
  }
}
