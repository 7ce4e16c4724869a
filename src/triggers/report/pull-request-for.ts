import { HubError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { ForgeRepository } from "../../forge/forge.ts";
import type { ThreadSession } from "../../store/threads/thread-sessions.ts";
import type { Progress } from "./progress.ts";
import { pullRequestText } from "./pull-request-text.ts";

/** A draft, for work on an issue that has pushed something. What was pushed to a pull request is in it. */
export async function pullRequestFor(
  repository: ForgeRepository,
  thread: ThreadSession,
  session: Session,
  output: { summary: string; artifacts: { type: string }[] },
  { branch }: Progress,
): Promise<string | null> {
  if (branch === null || thread.kind !== "work") return null;
  const open = await repository.pullRequestOf(branch.name);
  if (open !== null) return open.url;
  if (session.status !== "completed") return null;
  const issue = await repository.issue(thread.number);
  if (issue.isPullRequest) return null;
  const { defaultBranch } = await repository.facts();
  try {
    const made = await repository.openPullRequest({
      head: branch.name,
      base: session.project.branch ?? defaultBranch,
      ...pullRequestText({ issue, asker: thread.asker.login, summary: output.summary }),
      isDraft: true,
    });
    return made.url;
  } catch (error) {
    // No difference, the branch is gone, or it may not be done: the comment tells how it ended all the same.
    if (error instanceof HubError && !error.retryable) return null;
    throw error;
  }
}
