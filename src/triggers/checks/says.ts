import type { Session } from "../../core/session.ts";
import type { CheckDraft } from "../../forge/forge.ts";
import type { FoundComment, Review } from "../../store/threads/reviews.ts";
import type { ThreadKind } from "../../store/threads/thread-sessions.ts";
import { neutralise } from "../report/neutralise.ts";

export type Says = Pick<CheckDraft, "status" | "conclusion" | "title">;

export const CHECK_NAMES: Record<ThreadKind, string> = {
  work: "Claude: work",
  plan: "Claude: plan",
  review: "Claude: review",
  repair: "Claude: repair",
};

/** The identifier of the button that has the bot mend what a check tells of. */
export const FIX = "fix";

const TITLE_CHARS = 200;
const MESSAGE_CHARS = 4_000;

/** What the check of a session says of it. */
export function saysOf(
  session: Session,
  kind: ThreadKind,
  review: Pick<Review, "state" | "verdict" | "note"> | null,
  mayFail: boolean,
): Says {
  if (kind === "review" && review !== null) return saysOfReview(session, review, mayFail);
  switch (session.status) {
    case "completed":
      return ended("success", "Done");
    case "failed":
      return ended("failure", `Failed: ${session.error ?? "for an unknown reason"}`);
    case "cancelled":
      return ended("cancelled", "Stopped");
    case "pending":
      return { status: "queued", title: "Waiting" };
    default:
      return { status: "in_progress", title: "Working" };
  }
}

/** A review that has come to nothing says nothing about the pull request. */
function saysOfReview(
  session: Session,
  { state, verdict, note }: Pick<Review, "state" | "verdict" | "note">,
  mayFail: boolean,
): Says {
  switch (state) {
    case "open":
      return session.status === "pending"
        ? { status: "queued", title: "Waiting" }
        : { status: "in_progress", title: "Reviewing" };
    case "dropped":
      return session.status === "cancelled"
        ? ended("cancelled", "Stopped")
        : ended("neutral", `No review: ${note ?? "it came to nothing"}`);
    case "submitted":
      if (verdict === "approve") return ended("success", "Approved");
      return verdict === "request_changes"
        ? ended(mayFail ? "failure" : "neutral", "Changes are asked for")
        : ended("neutral", "Reviewed");
    default:
      return state satisfies never;
  }
}

/** Of a commit that is the head no more, while the session goes on. */
export function saysOfFormer(next: string): Says {
  return ended("neutral", `It went on at ${next.slice(0, 12)}`);
}

/** Of a session that there is no more. */
export function saysOfGone(): Says {
  return ended("cancelled", "The session is gone");
}

/** Those that stand in the file as it is now: GitHub has no annotations of lines that were removed. */
export function annotationsOf(
  found: readonly FoundComment[],
  mayFail: boolean,
  redact: (text: string) => string,
): NonNullable<CheckDraft["annotations"]> {
  const levels = {
    high: mayFail ? "failure" : "warning",
    medium: "warning",
    low: "notice",
  } as const;
  return found
    .filter(({ side }) => side === "RIGHT")
    .map(({ path, line, startLine, severity, body }) => ({
      path,
      startLine: startLine ?? line,
      endLine: line,
      level: levels[severity],
      message: neutralise(redact(body), MESSAGE_CHARS),
    }));
}

/** Where something is left to mend. */
export function actionsOf(
  { conclusion }: Says,
  isBlamed: boolean,
): NonNullable<CheckDraft["actions"]> {
  return conclusion === "failure" || isBlamed
    ? [{ label: "Fix", description: "Have the bot mend what is wrong", identifier: FIX }]
    : [];
}

function ended(conclusion: NonNullable<CheckDraft["conclusion"]>, title: string): Says {
  return { status: "completed", conclusion, title: neutralise(title, TITLE_CHARS) };
}
