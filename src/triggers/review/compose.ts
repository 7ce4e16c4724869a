import type { ChangedFile, ReviewDraft } from "../../forge/forge.ts";
import type { FoundComment, Review } from "../../store/threads/reviews.ts";
import { neutralise } from "../report/neutralise.ts";
import { lineFault } from "./vet.ts";

const SUMMARY_CHARS = 20_000;
const COMMENT_CHARS = 4_000;
/** Of what has no line; GitHub takes 65,536 for all. */
const OTHERS_CHARS = 40_000;
const LABELS = { high: "**Important:** ", medium: "", low: "**Minor:** " };

/** A review as it is submitted: with comments where the forge takes them, and what has no line in its body. */
export function composeReview(of: {
  review: Pick<Review, "number" | "sha" | "verdict">;
  summary: string;
  found: readonly FoundComment[];
  /** What the pull request changes. None: nothing is put on lines. */
  files: readonly ChangedFile[];
  redact(text: string): string;
}): ReviewDraft {
  const { review, summary, found, files, redact } = of;
  const isPlaced = (one: FoundComment) => lineFault(one, files) === null;
  const textOf = ({ severity, body }: FoundComment) =>
    `${LABELS[severity]}${neutralise(redact(body), COMMENT_CHARS)}`;
  const others = found.filter((one) => !isPlaced(one));
  const words = neutralise(redact(summary), SUMMARY_CHARS).trim();
  const parts = [
    words || (found.length === 0 ? "Nothing to remark." : "See the comments."),
    ...within(
      others.map((one) => `\`${placeOf(one)}\`: ${textOf(one)}`),
      OTHERS_CHARS,
    ),
    `<sub>What was looked at: ${review.sha.slice(0, 12)}.</sub>`,
  ];
  return {
    number: review.number,
    sha: review.sha,
    body: parts.join("\n\n"),
    verdict: review.verdict ?? "comment",
    comments: found.filter(isPlaced).map((one) => ({
      path: one.path,
      line: one.line,
      ...(one.startLine === undefined ? {} : { startLine: one.startLine }),
      side: one.side,
      body: textOf(one),
    })),
  };
}

/** The first ones, as far as there is room. */
function within(texts: readonly string[], maxChars: number): string[] {
  let room = maxChars;
  const shown = texts.filter(({ length }) => (room -= length + 2) >= 0);
  const omitted = texts.length - shown.length;
  return omitted === 0 ? shown : [...shown, `(${omitted} more remarks have no room here.)`];
}

function placeOf({ path, line }: FoundComment): string {
  return `${path.replaceAll(/[`\n]/g, "")}:${line}`;
}
