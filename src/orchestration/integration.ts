import { newId } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";
import { headsOf } from "../core/plan-graph.ts";
import type { GraphNode } from "../sessions/graph.ts";
import type { BranchStore } from "../store/sessions/branches.ts";
import { termsWithin } from "../store/orchestrations/orchestration-writes.ts";
import { sessionsWithin } from "../store/orchestrations/orchestrations.ts";
import { locked, makeSessions } from "./change.ts";
import type { OrchestrationDeps } from "./deps.ts";
import { INTEGRATION_TITLE, outcomeOf } from "./outcome.ts";
import { contextOf, optionsOf, termsOf } from "./planned.ts";

type Branches = Pick<BranchStore, "ofSessions">;

/**
 * Sessions whose branches one more session is to bring together, once all have ended as they should; none: there is nothing
 * to bring together, or it is done, or it is not wanted.
 */
export async function toIntegrate(
  branches: Branches,
  orchestration: Orchestration,
  sessions: readonly OrchestratedSession[],
): Promise<OrchestratedSession[]> {
  if (orchestration.plan?.integrate === false) return [];
  if (sessions.some(({ role, completedAt }) => role === "integrator" || completedAt === null))
    return [];
  if (outcomeOf(orchestration, sessions).state !== "completed") return [];
  const ends = await looseEnds(branches, orchestration, sessions);
  return ends.length < 2 ? [] : ends;
}

/**
 * Makes the session that brings several branches together, once.
 *
 * @param seen All sessions of the orchestration, which have ended; where there are others by now, nothing is made.
 */
export async function integrate(
  deps: OrchestrationDeps,
  id: Id,
  { ends, seen }: { ends: readonly OrchestratedSession[]; seen: readonly OrchestratedSession[] },
): Promise<void> {
  await makeSessions(deps, id, async (tx) => {
    const orchestration = await locked(tx, id);
    const { state, cancelRequestedAt } = orchestration;
    const sessions = await sessionsWithin(tx, id, seen.length + 1);
    // Another hub may have been here.
    if (state !== "running" || cancelRequestedAt !== null || sessions.length !== seen.length)
      return null;
    const node = integrator(orchestration, ends, seen);
    const row = {
      sessionId: node.id,
      orchestrationId: id,
      role: "integrator" as const,
      taskId: null,
      title: INTEGRATION_TITLE,
    };
    const terms = termsOf(await termsWithin(tx, id), {});
    return { nodes: [{ ...node, terms }], rows: [row] };
  });
}

/** The session that brings the work of others together. It is told as well what came of those that nobody else was told of. */
function integrator(
  { project, metadata, options }: Orchestration,
  ends: readonly OrchestratedSession[],
  all: readonly OrchestratedSession[],
): GraphNode {
  const followed = new Set(all.flatMap((one) => [...one.dependencies, ...one.waitsFor]));
  const told = all.filter(
    (one) =>
      ends.includes(one) || (one.role === "task" && counts(one) && !followed.has(one.sessionId)),
  );
  const idsOf = (isDone: boolean) =>
    told
      .filter(({ status }) => (status === "completed") === isDone)
      .map(({ sessionId }) => sessionId);
  return {
    id: newId(),
    waitsFor: idsOf(false),
    session: {
      type: "implementation",
      project: { ...project, requirements: INTEGRATION, context: contextOf(project) },
      dependencies: idsOf(true),
      metadata,
      options: optionsOf(options, undefined),
    },
  };
}

/** Sessions whose branches nothing else builds on, oldest first. */
export async function looseEnds(
  branches: Branches,
  orchestration: Orchestration,
  sessions: readonly OrchestratedSession[],
): Promise<OrchestratedSession[]> {
  // What was added to a plan from outside is not of the work that was asked for.
  const isPart = ({ role }: OrchestratedSession) =>
    orchestration.plan === null ? role !== "integrator" : role === "task";
  const counting = sessions.filter((one) => isPart(one) && counts(one));
  const pushed = await pushedBy(branches, orchestration, counting);
  // What has left no branch is looked through, as the hub does when it chooses where a session begins.
  const nodes = counting.map((one) => ({
    id: one.sessionId,
    type: pushed.includes(one) ? ("implementation" as const) : ("analysis" as const),
  }));
  const after = new Map(
    counting.map(({ sessionId, dependencies, waitsFor }) => [
      sessionId,
      [...dependencies, ...waitsFor],
    ]),
  );
  const heads = new Set(headsOf(nodes, after));
  return pushed.filter(({ sessionId }) => heads.has(sessionId));
}

/** Those that have completed, and left a branch of their own. */
export async function pushedBy(
  branches: Branches,
  { project }: Pick<Orchestration, "project">,
  sessions: readonly OrchestratedSession[],
): Promise<OrchestratedSession[]> {
  const done = sessions.filter((one) => one.status === "completed" && counts(one));
  const found = await branches.ofSessions(
    project.repository,
    done.map(({ sessionId }) => sessionId),
  );
  return done.filter(({ sessionId, workBranch }) =>
    found.some((one) => one.sessionId === sessionId && one.branch === workBranch),
  );
}

function counts({ place }: OrchestratedSession): boolean {
  return place === "current" || place === "chosen";
}

const INTEGRATION = [
  "Bring the work of the sessions before this one together on your branch: their branches stand above, and what each was about stands in the context.",
  "Merge them one after the other (`git fetch origin <branch>`, then `git merge FETCH_HEAD`), in the order in which they stand there. Keep what each of them meant to do.",
  "Solve conflicts by the intention of both sides; where they contradict each other, keep a working state and say in your summary what you decided and why.",
  "Then make sure that the whole works: build it and run its tests, as far as the repository has any, and mend only what the merge has broken.",
  "Say in your summary what has been done in all, for people who read the pull request.",
].join("\n");
