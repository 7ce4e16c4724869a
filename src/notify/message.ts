import type { Artifact } from "../core/artifact.ts";
import type { NoticeKind } from "../core/notice.ts";
import type { Session } from "../core/session.ts";

const ARTIFACTS = 100;

/**
 * What is sent of a session that has ended. Not what it was asked, which may be long and is known to whoever asked.
 * Form: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function messageOf(
  { kind, at }: { kind: NoticeKind; at: string },
  session: Session,
  made: { summary: string; nextSteps: string[]; artifacts: Artifact[] },
): string {
  const { id, type, status, project, orchestrationId, workBranch, metadata, error, usage } =
    session;
  const { repository, branch } = project;
  return JSON.stringify({
    type: kind,
    timestamp: at,
    data: {
      session: {
        id,
        type,
        status,
        project: { repository, ...(branch === undefined ? {} : { branch }) },
        orchestrationId,
        workBranch,
        metadata,
        error,
        usage,
        createdAt: session.createdAt,
        startedAt: session.startedAt,
        completedAt: session.completedAt,
      },
      summary: made.summary,
      nextSteps: made.nextSteps,
      artifacts: made.artifacts.slice(0, ARTIFACTS),
    },
  });
}
