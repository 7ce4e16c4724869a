import { HubError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { ForgeRepository, PullRequest } from "../../forge/forge.ts";
import type { Review } from "../../store/threads/reviews.ts";
import { composeReview } from "./compose.ts";
import type { ReviewDeps } from "./deps.ts";

/** Submits what a review has come to, once it has: at its last word, or when its session has ended. Safe to repeat. */
export async function settleReview(
  deps: ReviewDeps,
  review: Review,
  session: Session,
): Promise<void> {
  const isSpoken = review.verdict !== null;
  if (session.completedAt === null && !isSpoken) return;
  if (session.status === "cancelled") return await drop(deps, review, "its session was ended");
  const found = await deps.reviews.comments(review.sessionId);
  const summary = review.summary ?? (await wordsOf(deps, session));
  if (summary.trim() === "" && found.length === 0)
    return await drop(deps, review, session.error ?? "it came to nothing");
  const repository = deps.forge.repository(review.repository);
  const pull = await repository.pullRequest(review.number);
  const refusal = await refusalOf(deps, review, pull);
  if (refusal !== null) return await drop(deps, review, refusal);
  const verdict = await verdictFor(deps, review, pull);
  const files = await repository.files(review.number);
  const { redact } = deps;
  const draft = (on: typeof files) =>
    composeReview({ review: { ...review, verdict }, summary, found, files: on, redact });
  const { url } = await submit(repository, review, draft(files), draft([]));
  await deps.reviews.settle(review.sessionId, { state: "submitted", url, note: null });
}

async function wordsOf(deps: ReviewDeps, session: Session): Promise<string> {
  const { summary } = await deps.sessions.output(session.id);
  if (session.status === "completed") return summary;
  // Half a review is worth something; half a sentence about it is not.
  return "";
}

async function refusalOf(
  deps: ReviewDeps,
  review: Review,
  { state, isLocked, head }: PullRequest,
): Promise<string | null> {
  if (state !== "open") return "the pull request was closed meanwhile";
  if (isLocked) return "the conversation is locked";
  if (head.sha === review.sha) return null;
  // What a crash has kept us from writing down may have been written before it moved.
  const { account } = await deps.forge.self();
  const key = keyOf(review);
  const reviews = await deps.forge.repository(review.repository).reviews(review.number);
  const isThere = reviews.some(
    ({ author, body }) => author.id === account.id && body.includes(`claude-hub ${key} `),
  );
  return isThere ? null : "the pull request has moved on since";
}

/** GitHub takes nothing but comments on what the bot has opened itself. */
async function verdictFor(deps: ReviewDeps, { verdict }: Review, { author }: PullRequest) {
  const { account } = await deps.forge.self();
  return author.id === account.id ? "comment" : verdict;
}

type Draft = ReturnType<typeof composeReview>;

/** What the forge does not take because of its lines, it takes without any. */
async function submit(
  repository: ForgeRepository,
  review: Review,
  whole: Draft,
  withoutLines: Draft,
): Promise<{ url: string }> {
  try {
    return await repository.submitReview(keyOf(review), whole);
  } catch (error) {
    const isRefused = error instanceof HubError && error.code === "invalid_request";
    if (!isRefused || whole.comments.length === 0) throw error;
    return await repository.submitReview(keyOf(review), withoutLines);
  }
}

function keyOf({ sessionId }: Review): string {
  return `review:${sessionId}`;
}

async function drop(deps: ReviewDeps, { sessionId }: Review, note: string): Promise<void> {
  await deps.reviews.settle(sessionId, { state: "dropped", url: null, note });
}
