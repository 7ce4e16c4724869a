import { HubError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { CheckDraft, ForgeRepository } from "../../forge/forge.ts";
import type { ThreadKind, ThreadSession } from "../../store/thread-sessions.ts";
import { neutralise } from "./neutralise.ts";
import type { TellDeps, Told } from "./tell.ts";

const NAMES: Record<ThreadKind, string> = {
  work: "Claude: work",
  plan: "Claude: plan",
  review: "Claude: review",
  repair: "Claude: repair",
};
const SUMMARY_CHARS = 60_000;

/**
 * The check of a session on a pull request, at the commit that was its head when the session was asked for. The session's id
 * is what it is known by, so that the same one goes on after a crash, and can be asked for again. Only Apps have checks.
 */
export async function showCheck(
  { annotationsOf, log }: TellDeps,
  repository: ForgeRepository,
  of: { thread: ThreadSession; session: Session; told: Told; summary: string },
): Promise<void> {
  const { thread, session, told, summary } = of;
  const state = stateOf(session);
  const says = `${state.status} ${state.conclusion ?? ""}`;
  if (told.check === says || told.check === NONE) return;
  try {
    const issue = await repository.issue(thread.number);
    const head = issue.isPullRequest ? (await repository.pullRequest(thread.number)).head : null;
    const made =
      head === null
        ? null
        : await repository.check(thread.sessionId, {
            ...state,
            name: NAMES[thread.kind],
            sha: head.sha,
            summary: neutralise(summary, SUMMARY_CHARS) || "The comment on this page tells more.",
            ...(session.completedAt === null || annotationsOf === undefined
              ? {}
              : { annotations: await annotationsOf(thread) }),
          });
    told.check = made === null ? NONE : says;
  } catch (error) {
    if (!(error instanceof HubError) || error.retryable) throw error;
    // The comment tells of the session all the same.
    told.check = NONE;
    log.warn({ err: error, sessionId: thread.sessionId }, "a check could not be shown");
  }
}

/** There is none, and will be none. */
const NONE = "none";

function stateOf(session: Session): Pick<CheckDraft, "status" | "conclusion" | "title"> {
  switch (session.status) {
    case "completed":
      return { status: "completed", conclusion: "success", title: "Done" };
    case "failed":
      return {
        status: "completed",
        conclusion: "failure",
        title: neutralise(`Failed: ${session.error ?? "for an unknown reason"}`, 200),
      };
    case "cancelled":
      return { status: "completed", conclusion: "cancelled", title: "Stopped" };
    case "pending":
      return { status: "queued", title: "Waiting" };
    default:
      return { status: "in_progress", title: "Working" };
  }
}
