import { ifFound } from "../core/errors.ts";
import type { ForgeRepository } from "../forge/forge.ts";
import { stop, stopPlan } from "./closed.ts";
import { openPlans } from "./plans/open.ts";
import type { TriggerDeps } from "./deps.ts";
import type { ForgeEvent } from "./payload.ts";
import type { Decision, Rule } from "./rule.ts";
import { mentionOf } from "./text/mention.ts";

/** A question that is deleted before its work has begun is taken back. */
export const takenBackRule: Rule = {
  name: "taken back",
  async decide(deps, repository, event) {
    const cause = causeOf(event);
    if (cause === null) return null;
    const plan = await takenBackPlan(deps, repository, event, cause);
    if (plan !== null) return plan;
    const asked = await deps.threads.byCause(cause);
    if (asked === null || asked.state !== "live") return "nothing that was asked there is open";
    if (await stillAsks(deps, repository, event)) return "the question is there";
    const { sessionId } = asked;
    const session = await deps.sessions.get(sessionId);
    if (session.admittedAt !== null) return "the work has begun, and goes on";
    return {
      would: "ends the session that it asked for, which has not begun",
      async act() {
        const count = await stop(deps, sessionId);
        const outcome = `${count} sessions are ended, since the question was deleted`;
        return { state: "done", outcome };
      },
    };
  },
};

/** A plan that nobody has had done yet; null: none was asked for there. */
async function takenBackPlan(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ForgeEvent,
  cause: string,
): Promise<Decision | null> {
  const asked = await deps.threadPlans.byCause(cause);
  if (asked === null) return null;
  const open = await openPlans(deps, asked.number, asked.repositoryId);
  const found = open.find(({ thread }) => thread.cause === cause);
  if (found === undefined) return "the plan that was asked for there has ended";
  if (await stillAsks(deps, repository, event)) return "the question is there";
  if (found.view.state === "running") return "the plan is at work, and goes on";
  return {
    would: "drops the plan that it asked for",
    async act() {
      const count = await stopPlan(deps, asked.orchestrationId);
      return {
        state: "done",
        outcome: `${count} plans are dropped, since the question was deleted`,
      };
    },
  };
}

/** What was asked by a comment that is deleted; null: it is not about such a one. */
function causeOf({ event, action, payload: { comment } }: ForgeEvent): string | null {
  if (action !== "deleted" || comment == null) return null;
  if (event === "issue_comment") return `comment:${comment.id}`;
  // A review asks once, with all of its comments.
  const reviewId = comment.pull_request_review_id;
  return event === "pull_request_review_comment" && reviewId != null ? `review:${reviewId}` : null;
}

async function stillAsks(
  { settings }: TriggerDeps,
  repository: ForgeRepository,
  { event, number, payload: { comment } }: ForgeEvent,
): Promise<boolean> {
  const { id, pull_request_review_id: reviewId } = comment ?? {};
  if (id === undefined) return true;
  if (event === "issue_comment") return (await ifFound(repository.comment(id))) !== null;
  if (number === null || reviewId == null) return true;
  const review = await ifFound(repository.review(number, reviewId));
  // The last comment of a review that says nothing else takes it away, too.
  if (review === null) return false;
  if (settings.triggers.changesRequested && review.state === "changes_requested") return true;
  const comments = await repository.reviewComments(number, reviewId);
  return [review, ...comments].some(({ body }) => mentionOf(body, settings.botLogin) !== null);
}
