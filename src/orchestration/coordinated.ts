import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";
import type { OrchestrationDeps } from "./deps.ts";

/** The session that coordinates; undefined: it is no more. */
export function coordinatorOf(
  sessions: readonly OrchestratedSession[],
): OrchestratedSession | undefined {
  return sessions.find(({ role }) => role === "coordinator");
}

/**
 * What is to be done when the session that coordinates has ended: sessions of its own that it has not started are not waited
 * for, nor is any that is still at work when it has failed.
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
  }
}
