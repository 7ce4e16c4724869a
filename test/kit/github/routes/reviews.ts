import { z } from "zod";
import { changesBetween } from "../diff.ts";
import { GitHubError, found, notFound } from "../errors.ts";
import { checkMayChange, checkLength, checkUnlocked, pullIn, written } from "../issues.ts";
import { isPull, pullSimpleBody, reviewBody, reviewCommentBody } from "../present/pull.ts";
import type { PullIssue } from "../present/pull.ts";
import { placeOf } from "../review-lines.ts";
import { created, nothing, numberIn, ok, page, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { Json, Review, ReviewComment } from "../state.ts";
import { stamp } from "../world.ts";

const side = z.enum(["LEFT", "RIGHT"]).optional();
const lineSchema = z.object({
  path: z.string(),
  body: z.string().min(1),
  line: z.number().optional(),
  side,
  start_line: z.number().optional(),
  start_side: side,
  position: z.number().optional(),
});
const reviewRequest = z.object({
  commit_id: z.string().optional(),
  body: z.string().optional(),
  event: z.enum(["APPROVE", "REQUEST_CHANGES", "COMMENT"]).optional(),
  comments: z.array(lineSchema).optional(),
});
const commentRequest = lineSchema.extend({
  path: z.string().optional(),
  commit_id: z.string().optional(),
  in_reply_to: z.number().optional(),
  subject_type: z.enum(["line", "file"]).optional(),
});
const bodyRequest = z.object({ body: z.string().min(1) });
const dismissRequest = z.object({ message: z.string(), event: z.string().optional() });
const STATES = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
} as const;

const OF_PULL = "/pulls/{pull_number}";

export const reviewRoutes: Route[] = [
  ...repositoryRoutes(["pull_requests:read"], {
    [`GET ${OF_PULL}/reviews`]: (call) => {
      const { world, repository } = call;
      const { reviews } = pullIn(call).pull;
      // Replies and single comments stand in reviews of their own, which are shown, too.
      return page(
        call,
        reviews.map((each) => reviewBody(world, repository, each)),
      );
    },
    [`GET ${OF_PULL}/reviews/{review_id}`]: (call) =>
      ok(reviewBody(call.world, call.repository, reviewIn(call))),
    [`GET ${OF_PULL}/reviews/{review_id}/comments`]: (call) => {
      const review = reviewIn(call);
      const chosen = call.repository.reviewComments.filter((each) => each.review === review);
      return list(call, chosen, (body) => omit(body, ["line", "original_line", "start_line"]));
    },
    [`GET ${OF_PULL}/comments`]: (call) => {
      const issue = pullIn(call);
      return list(
        call,
        call.repository.reviewComments.filter((each) => each.issue === issue),
      );
    },
    "GET /pulls/comments": (call) => list(call, call.repository.reviewComments),
    "GET /pulls/comments/{comment_id}": (call) =>
      ok(reviewCommentBody(call.world, call.repository, reviewCommentIn(call))),
  }),
  ...repositoryRoutes(["pull_requests:write"], {
    [`POST ${OF_PULL}/reviews`]: addReview,
    [`PUT ${OF_PULL}/reviews/{review_id}/dismissals`]: (call) => {
      const review = reviewIn(call);
      read(dismissRequest, call);
      review.state = "DISMISSED";
      emitReview(call, review, "dismissed");
      return ok(reviewBody(call.world, call.repository, review));
    },
    [`POST ${OF_PULL}/comments`]: addComment,
    [`POST ${OF_PULL}/comments/{comment_id}/replies`]: (call) => {
      const { body } = read(bodyRequest, call);
      return reply(call, pullIn(call), reviewCommentIn(call), body);
    },
    "PATCH /pulls/comments/{comment_id}": (call) => {
      const { world, repository } = call;
      const comment = reviewCommentIn(call);
      const { body } = read(bodyRequest, call);
      checkMayChange(call, comment);
      checkLength(body);
      const changes = { body: { from: comment.body } };
      comment.body = body;
      comment.updatedAt = stamp(world);
      emitComment(call, comment, "edited", { changes });
      return ok(reviewCommentBody(world, repository, comment));
    },
    "DELETE /pulls/comments/{comment_id}": (call) => {
      const comment = reviewCommentIn(call);
      checkMayChange(call, comment);
      const { repository } = call;
      repository.reviewComments.splice(repository.reviewComments.indexOf(comment), 1);
      emitComment(call, comment, "deleted");
      return nothing;
    },
  }),
];

function refuseInReview(field: string): GitHubError {
  const errors = [field === "path" ? "Path could not be resolved" : "Line could not be resolved"];
  return new GitHubError(422, "Unprocessable Entity", { errors });
}

function refuseAlone(field: string): GitHubError {
  const name = `pull_request_review_thread.${field}`;
  const message = `${name} must be part of the diff`;
  const resource = "PullRequestReviewComment";
  const errors = [{ resource, code: "custom", field: name, message }];
  return new GitHubError(422, "Validation Failed", { errors });
}

async function addReview(call: RepositoryCall) {
  const { world, repository, user } = call;
  const issue = pullIn(call);
  const asked = read(reviewRequest, call);
  checkUnlocked(call, issue);
  const own = issue.user === user;
  if (own && (asked.event === "APPROVE" || asked.event === "REQUEST_CHANGES")) {
    const verb = asked.event === "APPROVE" ? "approve" : "request changes on";
    const errors = [`Review Can not ${verb} your own pull request`];
    throw new GitHubError(422, "Unprocessable Entity", { errors });
  }
  const none = (asked.body ?? "") === "" && (asked.comments ?? []).length === 0;
  if (none && asked.event !== "APPROVE" && asked.event !== undefined) {
    throw new GitHubError(422, "Unprocessable Entity", { errors: ["Review body is required"] });
  }
  const sha = asked.commit_id ?? issue.pull.headSha;
  const files = await changesOf(call, issue, sha);
  // All places are looked up first: GitHub takes a review whole or not at all.
  const placed = (asked.comments ?? []).map((each) => ({
    each,
    at: placeOf(files, each, refuseInReview),
  }));
  const review = addEmptyReview(call, issue, asked.body ?? "", sha);
  for (const { each, at } of placed) {
    repository.reviewComments.push({
      ...written(call, each.body),
      ...at,
      issue,
      review,
      originalSha: sha,
      sha,
      inReplyTo: null,
    });
  }
  if (asked.event === undefined) return ok(reviewBody(world, repository, review));
  review.state = STATES[asked.event];
  review.submittedAt = stamp(world);
  issue.pull.requestedReviewers = issue.pull.requestedReviewers.filter((each) => each !== user);
  emitReview(call, review, "submitted");
  for (const each of repository.reviewComments) {
    if (each.review === review) emitComment(call, each, "created");
  }
  return ok(reviewBody(world, repository, review));
}

function addEmptyReview(call: RepositoryCall, issue: PullIssue, body: string, sha: string): Review {
  const review: Review = {
    ...written(call, body),
    issue,
    state: "PENDING",
    sha,
    submittedAt: null,
  };
  issue.pull.reviews.push(review);
  return review;
}

async function addComment(call: RepositoryCall) {
  const { world, repository } = call;
  const issue = pullIn(call);
  const asked = read(commentRequest, call);
  checkUnlocked(call, issue);
  if (asked.in_reply_to !== undefined) {
    const to = repository.reviewComments.find((each) => each.id === asked.in_reply_to);
    return reply(call, issue, found(to), asked.body);
  }
  const { path, commit_id: sha } = asked;
  if (path === undefined || sha === undefined) throw refuseAlone("path");
  const at = placeOf(await changesOf(call, issue, sha), { ...asked, path }, refuseAlone);
  const review = submitted(call, issue, sha);
  const comment: ReviewComment = {
    ...written(call, asked.body),
    ...at,
    issue,
    review,
    originalSha: sha,
    sha,
    inReplyTo: null,
  };
  repository.reviewComments.push(comment);
  emitComment(call, comment, "created");
  return created(reviewCommentBody(world, repository, comment));
}

function reply(call: RepositoryCall, issue: PullIssue, to: ReviewComment, body: string) {
  const { world, repository } = call;
  if (to.issue !== issue) throw notFound();
  checkUnlocked(call, issue);
  const review = submitted(call, issue, to.sha);
  const comment = { ...to, ...written(call, body), review, inReplyTo: to.inReplyTo ?? to.id };
  repository.reviewComments.push(comment);
  emitComment(call, comment, "created");
  return created(reviewCommentBody(world, repository, comment));
}

function submitted(call: RepositoryCall, issue: PullIssue, sha: string): Review {
  const review = addEmptyReview(call, issue, "", sha);
  review.state = "COMMENTED";
  review.submittedAt = stamp(call.world);
  return review;
}

async function changesOf({ repository }: RepositoryCall, { pull }: PullIssue, sha: string) {
  try {
    return await changesBetween(repository, pull.baseSha, sha);
  } catch {
    const errors = ["Commit is not part of the pull request"];
    throw new GitHubError(422, "Unprocessable Entity", { errors });
  }
}

function reviewIn(call: RepositoryCall): Review {
  const id = numberIn(call, "review_id");
  return found(pullIn(call).pull.reviews.find((each) => each.id === id));
}

export function reviewCommentIn(call: RepositoryCall): ReviewComment {
  const id = numberIn(call, "comment_id");
  return found(call.repository.reviewComments.find((each) => each.id === id));
}

function list(
  call: RepositoryCall,
  comments: readonly ReviewComment[],
  shape: (body: Json) => Json = (body) => body,
) {
  const bodies = comments.map((each) => reviewCommentBody(call.world, call.repository, each));
  return page(call, bodies.map(shape));
}

/** Of a review's own list GitHub leaves out where the comments are now. */
function omit(body: Json, names: readonly string[]): Json {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}

function pullOf(call: RepositoryCall, of: Review | ReviewComment): Json {
  const issue = found(call.repository.issues.filter(isPull).find((each) => each === of.issue));
  return pullSimpleBody(call.world, call.repository, issue);
}

function emitReview(call: RepositoryCall, review: Review, action: string): void {
  const { world, hooks, repository, user } = call;
  // In events the state is in small letters.
  const body = { ...reviewBody(world, repository, review), state: review.state.toLowerCase() };
  const payload = { review: body, pull_request: pullOf(call, review) };
  hooks.emit({ name: "pull_request_review", action, sender: user, repository, payload });
}

function emitComment(
  call: RepositoryCall,
  comment: ReviewComment,
  action: string,
  more: Json = {},
): void {
  const { world, hooks, repository, user } = call;
  const body = reviewCommentBody(world, repository, comment);
  const payload = { comment: body, pull_request: pullOf(call, comment), ...more };
  hooks.emit({ name: "pull_request_review_comment", action, sender: user, repository, payload });
}
