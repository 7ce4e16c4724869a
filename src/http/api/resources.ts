import { z } from "zod";
import { budgetOf, BudgetView } from "../../core/budget.ts";
import { Artifact } from "../../core/artifact.ts";
import {
  Metadata,
  Pause,
  Project,
  SessionOptions,
  SessionStatus,
  SessionType,
  Usage,
} from "../../core/session.ts";
import type { Session } from "../../core/session.ts";

const time = z.iso.datetime();

/** A session as /api/v1 shows it. */
export const SessionResource = z
  .object({
    id: z.uuid(),
    type: SessionType,
    status: SessionStatus,
    project: Project,
    dependencies: z.array(z.uuid()),
    orchestrationId: z.uuid().nullable(),
    continuesId: z.uuid().nullable(),
    metadata: Metadata,
    options: SessionOptions,
    sandboxName: z.string(),
    agentSessionId: z.string().nullable(),
    workBranch: z.string().nullable(),
    error: z.string().nullable(),
    usage: Usage,
    budget: BudgetView.meta({ description: "What it may use, has used, and has left." }),
    pause: Pause.nullable().meta({ description: "Its status is `running` all the while." }),
    createdAt: time,
    requestedAt: time.nullable(),
    admittedAt: time.nullable(),
    startedAt: time.nullable(),
    completedAt: time.nullable(),
    cancelRequestedAt: time.nullable(),
  })
  .meta({ id: "Session" });
export type SessionResource = z.infer<typeof SessionResource>;

export function sessionResource(session: Session): SessionResource {
  return {
    id: session.id,
    type: session.type,
    status: session.status,
    project: session.project,
    dependencies: session.dependencies,
    orchestrationId: session.orchestrationId,
    continuesId: session.continuesId,
    metadata: session.metadata,
    options: session.options,
    sandboxName: session.sandboxName,
    agentSessionId: session.agentSessionId,
    workBranch: session.workBranch,
    error: session.error,
    usage: session.usage,
    budget: budgetOf(session, new Date()),
    pause: session.pause,
    createdAt: session.createdAt,
    requestedAt: session.requestedAt,
    admittedAt: session.admittedAt,
    startedAt: session.startedAt,
    completedAt: session.completedAt,
    cancelRequestedAt: session.cancelRequestedAt,
  };
}

export const SessionPageResource = z
  .object({ sessions: z.array(SessionResource), nextCursor: z.uuid().nullable() })
  .meta({ id: "SessionPage" });

export const StartedResource = z
  .object({ session: SessionResource, waitingFor: z.array(z.uuid()) })
  .meta({ id: "Started" });

export const ArtifactsResource = z
  .object({ artifacts: z.array(Artifact) })
  .meta({ id: "Artifacts" });

export const OutputResource = z
  .object({
    logs: z.array(z.string()),
    artifacts: z.array(Artifact),
    summary: z.string(),
    nextSteps: z.array(z.string()),
  })
  .meta({ id: "SessionOutput" });
