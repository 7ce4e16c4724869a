import type { Session } from "../../core/session.ts";

/** A session as the contract writes it; what the contract does not name comes after. */
export function sessionJson(session: Session) {
  return {
    id: session.id,
    type: session.type,
    status: session.status,
    containerId: session.sandboxName,
    claudeSessionId: session.agentSessionId,
    project: session.project,
    dependencies: session.dependencies,
    startedAt: session.startedAt,
    completedAt: session.completedAt,
    // By session.output.
    output: null,
    error: session.error,
    orchestrationId: session.orchestrationId,
    workBranch: session.workBranch,
    metadata: session.metadata,
    options: session.options,
    usage: session.usage,
    createdAt: session.createdAt,
  };
}
