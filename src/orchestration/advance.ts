import { newId } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import { isOver } from "../core/orchestration.ts";
import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";
import type { Tx } from "../store/database.ts";
import { termsWithin } from "../store/orchestrations/orchestration-writes.ts";
import { sessionsWithin } from "../store/orchestrations/orchestrations.ts";
import type { NewTaskRow } from "../store/orchestrations/orchestration-writes.ts";
import { inTransaction } from "../store/transaction.ts";
import { become, locked, makeSessions } from "./change.ts";
import { concludeCoordination, coordinatorOf } from "./coordinated.ts";
import type { FinishedWork, OrchestrationDeps } from "./deps.ts";
import { finishedWork, resultBranch } from "./finished.ts";
import { integrate, toIntegrate } from "./integration.ts";
import { outcomeOf, stopped } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { planned } from "./planned.ts";
import type { Planned } from "./planned.ts";
import { PLANNERS, plannerNode, proposedPlan } from "./proposal.ts";

/** Of one orchestration; more are not looked at. */
export const SESSIONS = 5_000;

/**
 * Brings an orchestration as far as its sessions have come. Safe to repeat, by several hubs at once: what is done is decided
 * under a lock. Answers what is to be opened as a pull request before it can end.
 */
export async function advance(deps: OrchestrationDeps, id: Id): Promise<FinishedWork | null> {
  const found = await deps.store.get(id);
  if (found === null || isOver(found.state)) return null;
  switch (found.state) {
    case "approved": {
      await begun(deps, id);
      const now = await deps.store.get(id);
      return now?.state === "approved" ? await finish(deps, id) : await advance(deps, id);
    }
    case "proposing":
      await takePlan(deps, id);
      return null;
    case "running":
      if (found.kind === "coordinate") await concludeCoordination(deps, found, SESSIONS);
      return await finish(deps, id);
    default:
      return null;
  }
}

/** Somebody has started the session that coordinates. */
async function begun(deps: OrchestrationDeps, id: Id): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    const orchestration = await locked(tx, id);
    if (orchestration.state !== "approved") return;
    const sessions = await sessionsWithin(tx, id, SESSIONS);
    const isBegun = sessions.some(({ requestedAt }) => requestedAt !== null);
    if (isBegun) await become(tx, orchestration, "running", { at: deps.clock.now() });
  });
}

/** Ends an orchestration whose sessions have, unless there are branches to bring together or a pull request to open first. */
async function finish(deps: OrchestrationDeps, id: Id): Promise<FinishedWork | null> {
  const found = await outcomeNow(deps, id);
  if (found === null) return null;
  const { orchestration, outcome, branch, sessions, ends } = found;
  if (ends.length > 0) {
    await integrate(deps, id, { ends, seen: sessions });
    return null;
  }
  const report = await reportOf(deps, sessions);
  const work = finishedWork(orchestration, outcome, { branch, report, sessions });
  if (work !== null && deps.publish !== null) return work;
  await end(deps, id, {});
  return null;
}

/** What the session that coordinates has said in the end. */
async function reportOf(
  { sessions }: OrchestrationDeps,
  all: readonly OrchestratedSession[],
): Promise<string> {
  const coordinator = coordinatorOf(all);
  return coordinator === undefined ? "" : (await sessions.output(coordinator.sessionId)).summary;
}

/** @param published What came of the pull request; empty: there is none to be opened. */
export async function end(
  deps: OrchestrationDeps,
  id: Id,
  published: { pullRequestUrl?: string | null; note?: string },
): Promise<void> {
  const found = await outcomeNow(deps, id);
  // Whoever has looked before the last session ended has not seen what is to be brought together.
  if (found === null || found.ends.length > 0) return;
  const { outcome, branch } = found;
  const { pullRequestUrl = null, note } = published;
  await inTransaction(deps.database, async (tx) => {
    const orchestration = await locked(tx, id);
    if (orchestration.state !== "running" && orchestration.state !== "approved") return;
    const summary = note === undefined ? outcome.summary : `${outcome.summary}; ${note}`;
    const { error, state } = outcome;
    const change = { error, summary, branch, pullRequestUrl, at: deps.clock.now() };
    await become(tx, orchestration, state, change);
  });
  deps.log.info({ orchestrationId: id, state: outcome.state }, "orchestration has ended");
}

interface Ended {
  orchestration: Orchestration;
  outcome: Outcome;
  branch: string | null;
  sessions: OrchestratedSession[];
  /** Sessions whose branches are to be brought together first. */
  ends: OrchestratedSession[];
}

/** Null: its sessions have not ended. Those that have ended stay as they are, so this stays true. */
async function outcomeNow({ store, branches }: OrchestrationDeps, id: Id): Promise<Ended | null> {
  const orchestration = await store.get(id);
  if (orchestration === null || isOver(orchestration.state)) return null;
  const sessions = await store.sessions(id, SESSIONS);
  if (sessions.some(({ completedAt }) => completedAt === null)) return null;
  const isStopped = orchestration.cancelRequestedAt !== null;
  if (orchestration.state === "approved" && !isStopped && sessions.length === 0) return null;
  const ends = await toIntegrate(branches, orchestration, sessions);
  const outcome = outcomeOf(orchestration, sessions);
  const branch = await resultBranch(branches, orchestration, sessions);
  if (ends.length === 0 || !isStopped) return { orchestration, outcome, branch, sessions, ends };
  return { orchestration, outcome: stopped(outcome), branch, sessions, ends: [] };
}

/** What the session that plans has answered becomes the plan; what is none is asked for once more. */
async function takePlan(deps: OrchestrationDeps, id: Id): Promise<void> {
  const before = await deps.store.sessions(id, SESSIONS);
  const planner = plannersOf(before).at(-1);
  if (planner === undefined || planner.completedAt === null) return;
  const answer =
    planner.status === "completed" ? await deps.sessions.answer(planner.sessionId) : null;
  await makeSessions(deps, id, async (tx) => {
    const orchestration = await locked(tx, id);
    const { state, cancelRequestedAt } = orchestration;
    const planners = plannersOf(await sessionsWithin(tx, id, SESSIONS));
    // Another hub may have been here.
    if (state !== "proposing" || planners.at(-1)?.sessionId !== planner.sessionId) return null;
    const at = deps.clock.now();
    if (cancelRequestedAt !== null) {
      await become(tx, orchestration, "cancelled", { error: "Cancelled on request", at });
      return null;
    }
    const found =
      planner.status === "completed"
        ? proposedPlan(answer, { ...deps.settings, budget: orchestration.options.budget })
        : { refused: planner.error ?? "The session that plans failed" };
    if ("plan" in found) return await propose(tx, orchestration, found.plan, at);
    if (planner.status === "cancelled" || planners.length >= PLANNERS) {
      const error = `No plan could be made: ${found.refused}`;
      await become(tx, orchestration, "failed", { error, at });
      return null;
    }
    const next = newId();
    const { maxTasks } = deps.settings;
    const terms = await termsWithin(tx, id);
    return {
      nodes: [plannerNode(orchestration, next, { maxTasks, refused: found.refused, terms })],
      rows: [plannerRow(id, next, planners.length + 1)],
    };
  });
}

/** There is a plan; it waits to be approved, unless it need not be. */
async function propose(
  tx: Tx,
  orchestration: Orchestration,
  plan: NonNullable<Orchestration["plan"]>,
  at: Date,
): Promise<Planned | null> {
  const planVersion = orchestration.planVersion + 1;
  if (!orchestration.autoStart) {
    await become(tx, orchestration, "proposed", { plan, planVersion, at });
    return null;
  }
  await become(tx, orchestration, "running", { plan, planVersion, at });
  return planned(orchestration, plan, await termsWithin(tx, orchestration.id));
}

export function plannerRow(orchestrationId: Id, sessionId: Id, round: number): NewTaskRow {
  return { sessionId, orchestrationId, role: "planner", taskId: null, title: "Planning", round };
}

function plannersOf(sessions: readonly OrchestratedSession[]): OrchestratedSession[] {
  return sessions.filter(({ role }) => role === "planner");
}
