import type { Id } from "../../core/id.ts";
import type { SessionTerms } from "../../core/session-terms.ts";
import type { ForgeRepository, PullRequest } from "../../forge/forge.ts";
import type { TriggerDeps } from "../deps.ts";
import type { ForgeEvent } from "../payload.ts";
import { contextFor } from "./begin.ts";
import { reviewRequirements } from "./prompt.ts";

/** What a session is told besides that is asked for a review, and what it looks at. Asked again, it looks at the same. */
export async function askedReview(
  deps: TriggerDeps,
  repository: ForgeRepository,
  of: { sessionId: Id; event: ForgeEvent; pull: PullRequest; usedChars: number },
): Promise<{ requirements: string; context: string; terms: Partial<SessionTerms> }> {
  const { sessionId, event, pull, usedChars } = of;
  const { number, head } = pull;
  const { reviews } = deps.review;
  await reviews.begin({
    sessionId,
    repositoryId: event.repository.id,
    repository: event.repository.name,
    number,
    sha: head.sha,
    at: deps.clock.now(),
  });
  const sha = (await reviews.get(sessionId))?.sha ?? head.sha;
  return {
    requirements: reviewRequirements(pull, ""),
    context: await contextFor(deps, repository, pull, usedChars),
    terms: { commit: { sha, ref: `refs/pull/${number}/head` } },
  };
}
