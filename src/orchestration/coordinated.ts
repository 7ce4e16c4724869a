import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";
import { headsOf } from "../core/plan-graph.ts";
import type { Id } from "../core/id.ts";
import type { BranchStore } from "../store/branches.ts";
import { insertTasksWithin } from "../store/orchestration-writes.ts";
import type { NewTaskRow } from "../store/orchestration-writes.ts";
import { sessionsWithin } from "../store/orchestrations.ts";
import { locked } from "./change.ts";
import type { OrchestrationDeps } from "./deps.ts";
import { integration } from "./planned.ts";

/** The session that coordinates; undefined: it is no more. */
export function coordinatorOf(
  sessions: readonly OrchestratedSession[],
): OrchestratedSession | undefined {
  return sessions.find(({ role }) => role === "coordinator");
}

/**
 * What is to be done when the session that coordinates has ended: sessions of its own that it has not started are not waited
 * for, nor is any that is still at work when it has failed. Where it has completed and several branches are left, one more
 * session brings them together.
 */
export async function concludeCoordination(
  deps: OrchestrationDeps,
  orchestration: Orchestration,
  most: number,
): Promise<void> {
  const { id } = orchestration;
  const sessions = await deps.store.sessions(id, most);
  const coordinator = coordinatorOf(sessions);
  if (coordinator === undefined || coordinator.completedAt === null) return;
  const isDone = coordinator.status === "completed";
  const open = sessions.filter(({ completedAt }) => completedAt === null);
  const unwanted = open.filter(
    ({ role, requestedAt }) => role === "task" && (!isDone || requestedAt === null),
  );
  if (unwanted.length > 0) {
    const verb = isDone ? "completed without starting it" : coordinator.status;
    const ids = unwanted.map(({ sessionId }) => sessionId);
    await deps.graphs.cancelThese(ids, `Cancelled because the session that coordinates ${verb}`);
  } else if (isDone && open.length === 0) await integrate(deps, orchestration, most);
}

/** Makes the session that brings several branches together, once. */
async function integrate(deps: OrchestrationDeps, { id }: Orchestration, most: number) {
  const rows: NewTaskRow[] = [];
  await deps.graphs.create(id, {
    starts: true,
    async nodes(tx) {
      const orchestration = await locked(tx, id);
      const sessions = await sessionsWithin(tx, id, most);
      const heads = await toIntegrate(deps.branches, orchestration, sessions);
      // Another hub may have been here.
      if (heads.length === 0 || orchestration.state !== "running") return null;
      const { node, row } = integration(orchestration, heads);
      rows.push(row);
      return [node];
    },
    after: (tx) => insertTasksWithin(tx, rows),
  });
}

/** Sessions whose branches one more session is to bring together; none: there is nothing to do, or not yet, or it is done. */
export async function toIntegrate(
  branches: Pick<BranchStore, "ofSessions">,
  orchestration: Orchestration,
  sessions: readonly OrchestratedSession[],
): Promise<Id[]> {
  const { kind, cancelRequestedAt } = orchestration;
  if (kind !== "coordinate" || cancelRequestedAt !== null) return [];
  if (coordinatorOf(sessions)?.status !== "completed") return [];
  if (sessions.some(({ role, completedAt }) => role === "integrator" || completedAt === null))
    return [];
  const heads = await looseEnds(branches, orchestration, sessions);
  return heads.length < 2 ? [] : heads;
}

/** Sessions whose branches nothing else builds on, oldest first. */
export async function looseEnds(
  branches: Pick<BranchStore, "ofSessions">,
  { project }: Pick<Orchestration, "project">,
  sessions: readonly OrchestratedSession[],
): Promise<Id[]> {
  const counting = sessions.filter(
    ({ role, place }) => role !== "integrator" && place !== "replaced",
  );
  const ids = counting
    .filter(({ status }) => status === "completed")
    .map(({ sessionId }) => sessionId);
  const found = await branches.ofSessions(project.repository, ids);
  const pushed = new Set(
    counting
      .filter(({ sessionId, workBranch }) =>
        found.some((one) => one.sessionId === sessionId && one.branch === workBranch),
      )
      .map(({ sessionId }) => sessionId),
  );
  // What has left no branch is looked through, as the hub does when it chooses where a session begins.
  const nodes = counting.map(({ sessionId: id }) => ({
    id,
    type: pushed.has(id) ? ("implementation" as const) : ("analysis" as const),
  }));
  const after = new Map(
    counting.map(({ sessionId, dependencies, waitsFor }) => [
      sessionId,
      [...dependencies, ...waitsFor],
    ]),
  );
  return headsOf(nodes, after).filter((id) => pushed.has(id));
}
