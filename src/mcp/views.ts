import { z } from "zod";
import { Artifact } from "../core/artifact.ts";
import type { Session } from "../core/session.ts";
import { SessionStatus, SessionType } from "../core/session.ts";

/** A model reads every character; the whole of everything is at the hub's API. */
export const BOUNDS = {
  requirementsChars: 500,
  contentChars: 1_000,
  artifacts: 200,
  summaryChars: 8_000,
  lineChars: 500,
} as const;

/** A session as tools show it; the names are the older API's. */
export const SessionView = z.object({
  id: z.string(),
  type: SessionType,
  status: SessionStatus,
  project: z.object({
    repository: z.string(),
    branch: z.string().nullable(),
    requirements: z.string().describe("The beginning, when it is long."),
  }),
  dependencies: z.array(z.string()),
  orchestrationId: z.string().nullable(),
  continuesId: z.string().nullable(),
  workBranch: z.string().nullable().describe("The branch that it pushes."),
  containerId: z.string(),
  error: z.string().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  completedAt: z.string().nullable(),
  costUsd: z.number(),
});

export function sessionView(session: Session): z.infer<typeof SessionView> {
  const { repository, branch, requirements } = session.project;
  return {
    id: session.id,
    type: session.type,
    status: session.status,
    project: {
      repository,
      branch: branch ?? null,
      requirements: cut(requirements, BOUNDS.requirementsChars),
    },
    dependencies: session.dependencies,
    orchestrationId: session.orchestrationId,
    continuesId: session.continuesId,
    workBranch: session.workBranch,
    containerId: session.sandboxName,
    error: session.error,
    createdAt: session.createdAt,
    startedAt: session.startedAt,
    completedAt: session.completedAt,
    costUsd: session.usage.costUsd,
  };
}

export const ArtifactsView = z.object({
  artifacts: z.array(Artifact),
  artifactCount: z.int().describe("More than are shown, when there are very many."),
});

export function artifactsView(artifacts: Artifact[]): z.infer<typeof ArtifactsView> {
  return {
    artifacts: artifacts.slice(0, BOUNDS.artifacts).map((artifact) => {
      if (artifact.content === undefined) return artifact;
      return { ...artifact, content: cut(artifact.content, BOUNDS.contentChars) };
    }),
    artifactCount: artifacts.length,
  };
}

/** The beginning of a text that is too long, and how much is left out. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most).toWellFormed()} … (${text.length - most} more characters)`;
}
