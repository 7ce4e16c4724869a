import { z } from "zod";
import { HubError, invalidRequest } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import { toolOf } from "../../core/tool.ts";
import type { Tool } from "../../core/tool.ts";
import type { ChangedFile, Forge, ForgeRepository } from "../../forge/forge.ts";
import { Severity } from "../../store/threads/reviews.ts";
import type { FoundComment, Review, ReviewStore } from "../../store/threads/reviews.ts";
import type { ThreadTools } from "../tools/tools.ts";
import type { Remark } from "./likeness.ts";
import { findingFault, MAX_COMMENTS } from "./vet.ts";

interface ReviewToolDeps {
  forge: Forge;
  reviews: ReviewStore;
  /** Whether a review may approve. */
  mayApprove: boolean;
}

const BODY_CHARS = 4_000;
const SUMMARY_CHARS = 20_000;
const EARLIER = 1_000;
/** Calls for a comment, those included that are not taken. */
const TRIES = MAX_COMMENTS * 3;

/** What the hub does for the agents of sessions that review. */
export function createReviewTools(deps: ReviewToolDeps): ThreadTools {
  async function toolsOf(id: Id): Promise<readonly Tool[]> {
    const review = await deps.reviews.get(id);
    return review === null ? [] : [addReviewComment(deps, review), submitReview(deps, review)];
  }
  return {
    toolsFor: ({ sessionId }) => toolsOf(sessionId),
    namesFor: async (id) => (await toolsOf(id)).map(({ name }) => name),
  };
}

const Comment = z.strictObject({
  path: z.string().min(1).max(1_000).describe("File, from the repository's root"),
  line: z.int().positive().describe("Line of the file; of several the last one"),
  start_line: z.int().positive().optional().describe("First line, if there are several"),
  side: z
    .enum(["LEFT", "RIGHT"])
    .default("RIGHT")
    .describe("RIGHT: as it is now; LEFT: a line that was removed"),
  severity: Severity.default("medium"),
  body: z.string().trim().min(1).max(BODY_CHARS).describe("Markdown"),
});

function addReviewComment({ forge, reviews }: ReviewToolDeps, review: Review): Tool {
  return toolOf({
    name: "add_review_comment",
    description:
      "Puts a finding of your review on a line of the pull request's difference. It is kept and shown when the review is submitted. Lines outside of the difference are refused, and what was said before.",
    input: Comment,
    limit: TRIES,
    repeated: "once",
    async run({ path, line, start_line: startLine, side, severity, body }, { ordinal }) {
      if (review.verdict !== null || review.state !== "open")
        throw invalidRequest("", "the review has been submitted");
      const finding: FoundComment = {
        path: path.replace(/^\.?\/+/, ""),
        line,
        side,
        severity,
        body,
        ...(startLine === undefined ? {} : { startLine }),
      };
      const repository = forge.repository(review.repository);
      const [files, earlier, found] = await Promise.all([
        filesAt(repository, review),
        earlierOf(forge, repository, review),
        reviews.comments(review.sessionId),
      ]);
      const fault = findingFault(finding, { files, earlier, found });
      if (fault !== null) throw invalidRequest("", fault);
      await reviews.add(review.sessionId, ordinal, finding);
      return `Kept; the review has ${found.length + 1} comments now.`;
    },
  });
}

function submitReview({ reviews, mayApprove }: ReviewToolDeps, review: Review): Tool {
  const verdicts = mayApprove
    ? (["comment", "request_changes", "approve"] as const)
    : (["comment", "request_changes"] as const);
  return toolOf({
    name: "submit_review",
    description:
      "Ends your review: its comments are shown on the pull request, with this summary above them. `request_changes` only where something has to be mended before the merge.",
    input: z.strictObject({
      summary: z.string().trim().min(1).max(SUMMARY_CHARS).describe("Markdown"),
      verdict: z.enum(verdicts).default("comment"),
    }),
    limit: 3,
    repeated: "once",
    async run({ summary, verdict }) {
      if (!(await reviews.conclude(review.sessionId, { summary, verdict })))
        throw invalidRequest("", "the review has been submitted");
      return "It is submitted. You are through; say so in one sentence.";
    },
  });
}

/** Of the commit that is reviewed, and no other. */
async function filesAt(repository: ForgeRepository, review: Review): Promise<ChangedFile[]> {
  const files = await repository.files(review.number);
  const { head } = await repository.pullRequest(review.number);
  if (head.sha === review.sha) return files;
  throw new HubError("conflict", "The pull request has moved on: end here, nothing is submitted");
}

async function earlierOf(
  forge: Forge,
  repository: ForgeRepository,
  { number }: Review,
): Promise<Remark[]> {
  const { account } = await forge.self();
  const comments = await repository.lineComments(number, EARLIER);
  return comments
    .filter(({ author }) => author.id === account.id)
    .map(({ line, body }) => ({ path: line?.path ?? "", line: line?.line ?? null, body }));
}
