import type { BotSettings } from "../core/bot-settings.ts";
import type { Trigger } from "../core/repository-settings.ts";
import type { Comment, Forge, ForgeRepository } from "../forge/forge.ts";
import type { Source } from "../store/threads/asked.ts";
import type { ThreadEvent } from "./payload.ts";
import { tickedBox } from "./report/status-comment.ts";
import type { Command } from "./text/command.ts";
import { mentionOf, newlyMentioned } from "./text/mention.ts";
import type { Mention } from "./text/mention.ts";
import { oneLine } from "./text/sanitise.ts";

/** What somebody has asked the bot for. */
export interface Heard {
  command: Command;
  instruction: string;
  /** All that was said. */
  whole: string;
  /** What a repository can switch off; null: nobody can. */
  trigger: Trigger | null;
  /** Where and by what it was asked, once and for all. */
  cause: string;
  source: Source;
  line: Comment["line"];
  /** What it is about besides, as data. */
  data?: string;
}

interface HeardDeps {
  forge: Pick<Forge, "self">;
  settings: Pick<BotSettings, "botLogin" | "label" | "triggers">;
}
type Reads = Pick<
  ForgeRepository,
  "issue" | "pullRequest" | "comment" | "lineComment" | "review" | "reviewComments"
>;

/** What a delivery asks of the bot; a sentence says why it asks nothing. What was said is read from the forge again. */
export async function heardOf(
  deps: HeardDeps,
  repository: Reads,
  event: ThreadEvent,
): Promise<Heard | string> {
  const listen = LISTENERS[`${event.event}.${event.action}`];
  return listen === undefined ? NO_MENTION : await listen(deps, repository, event);
}

/** Whether people ask for something by such events. */
export function isHeard({ event, action }: ThreadEvent): boolean {
  return LISTENERS[`${event}.${action}`] !== undefined;
}

type Listener = (deps: HeardDeps, repository: Reads, event: ThreadEvent) => Promise<Heard | string>;

const LISTENERS: Record<string, Listener> = {
  "issue_comment.created": commentWritten,
  "issue_comment.edited": commentEdited,
  "issues.opened": threadOpened,
  "issues.edited": threadEdited,
  "issues.labeled": labelled,
  "issues.assigned": assigned,
  "pull_request.opened": threadOpened,
  "pull_request.edited": threadEdited,
  "pull_request.review_requested": reviewRequested,
  "pull_request_review.submitted": reviewed,
  "pull_request_review.edited": reviewEdited,
  "pull_request_review_comment.created": reviewed,
  "pull_request_review_comment.edited": commentEdited,
};

const NO_MENTION = "the bot is not mentioned";
const UNCHANGED = "its text was not changed";

async function commentWritten(
  { settings }: HeardDeps,
  repository: Reads,
  { payload }: ThreadEvent,
): Promise<Heard | string> {
  if (payload.comment == null) return "it names no comment";
  const { id, body } = await repository.comment(payload.comment.id);
  return inComment(id, mentionOf(body, settings.botLogin));
}

/**
 * Whoever edits asks for what their edit says. Somebody else, who wrote it first and may ask for nothing, may have changed it
 * again since: what stands there now only says whether it is asked still.
 */
async function commentEdited(
  { forge, settings }: HeardDeps,
  repository: Reads,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { comment, changes } = event.payload;
  if (comment == null) return "it names no comment";
  const before = changes?.body?.from;
  if (before == null || comment.body == null) return UNCHANGED;
  const isOnLines = event.event === "pull_request_review_comment";
  const { id, body, author, line } = isOnLines
    ? await repository.lineComment(comment.id)
    : await repository.comment(comment.id);
  const { account } = await forge.self();
  const source: Source = isOnLines
    ? { kind: "lineComment", id, firstId: line?.inReplyTo ?? id }
    : { kind: "comment", id };
  if (author.id === account.id) {
    // As it was when it was ticked: what it says next may have been written over it since.
    const box = tickedBox(comment.body);
    if (box === null || tickedBox(before) !== null) return "no box was ticked";
    const cause = `box:${event.deliveryId}`;
    return { ...NOTHING, command: box, trigger: null, cause, source, line };
  }
  const mention = newlyMentioned(before, comment.body, settings.botLogin);
  if (mention === null || mentionOf(body, settings.botLogin) === null) return NO_MENTION;
  if (!isOnLines) return inComment(id, mention);
  if (comment.pull_request_review_id == null) return "it names no review";
  // A review asks once, with all of its comments.
  return {
    ...NOTHING,
    ...mention,
    cause: `review:${comment.pull_request_review_id}`,
    source,
    line,
  };
}

async function threadOpened(
  { settings }: HeardDeps,
  repository: Reads,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { title, body, author } = await repository.issue(event.number);
  // An issue that comes from another repository is opened here by whoever moves it.
  if (author.id !== event.sender.id) return "somebody else has written it";
  return inThread(event, mentionOf(`${title}\n\n${body}`, settings.botLogin));
}

/** As with comments: what the edit says is asked, if it stands there still. */
async function threadEdited(
  { settings }: HeardDeps,
  repository: Reads,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { changes } = event.payload;
  const [title, body] = [changes?.title?.from, changes?.body?.from];
  const seen = event.payload.issue ?? event.payload.pull_request;
  if ((title == null && body == null) || seen?.title === undefined || seen.body === undefined)
    return UNCHANGED;
  const now = seen.body ?? "";
  const mention = newlyMentioned(
    `${title ?? seen.title}\n\n${body ?? now}`,
    `${seen.title}\n\n${now}`,
    settings.botLogin,
  );
  const there = await repository.issue(event.number);
  const isThere = mentionOf(`${there.title}\n\n${there.body}`, settings.botLogin) !== null;
  return inThread(event, isThere ? mention : null);
}

async function labelled(
  { settings }: HeardDeps,
  repository: Reads,
  event: ThreadEvent,
): Promise<Heard | string> {
  const name = event.payload.label?.name.toLowerCase();
  if (settings.label === null || name !== settings.label.toLowerCase())
    return "the label asks for nothing";
  const { labels } = await repository.issue(event.number);
  if (!labels.some((label) => label.toLowerCase() === name))
    return "the label was taken away again";
  return { ...NOTHING, trigger: "label", cause: `label:${event.deliveryId}` };
}

async function assigned(
  { forge }: HeardDeps,
  repository: Reads,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { account } = await forge.self();
  if (event.payload.assignee?.id !== account.id) return "somebody else is assigned";
  const { assignees } = await repository.issue(event.number);
  if (!assignees.some(({ id }) => id === account.id)) return "the bot is assigned no more";
  return { ...NOTHING, trigger: "assignee", cause: `assigned:${event.deliveryId}` };
}

async function reviewRequested(
  { forge }: HeardDeps,
  _repository: Reads,
  { payload, deliveryId }: ThreadEvent,
): Promise<Heard | string> {
  const { account } = await forge.self();
  if (payload.requested_reviewer?.id !== account.id) return "somebody else is asked for a review";
  return { ...NOTHING, trigger: "review", command: "review", cause: `reviewer:${deliveryId}` };
}

async function reviewEdited(
  deps: HeardDeps,
  repository: Reads,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { review, changes } = event.payload;
  const before = changes?.body?.from;
  if (before == null || review?.body == null) return UNCHANGED;
  if (newlyMentioned(before, review.body, deps.settings.botLogin) === null) return NO_MENTION;
  const { author } = await repository.review(event.number, review.id);
  // All of it is asked then, as it stands there now.
  if (author.id !== event.sender.id) return "somebody else has written it";
  return await reviewed(deps, repository, event);
}

/** A review and its comments come as several deliveries in any order, and ask for one session. */
async function reviewed(
  { settings, forge }: HeardDeps,
  repository: Reads,
  { payload, number }: ThreadEvent,
): Promise<Heard | string> {
  const reviewId = payload.review?.id ?? payload.comment?.pull_request_review_id;
  if (reviewId == null) return "it names no review";
  const review = await repository.review(number, reviewId);
  const comments = await repository.reviewComments(number, reviewId);
  const inBody = mentionOf(review.body, settings.botLogin);
  const mentioning = comments.flatMap((comment) => {
    const mention = mentionOf(comment.body, settings.botLogin);
    return mention === null ? [] : [{ comment, mention }];
  });
  const [first] = mentioning;
  const isMentioned = inBody !== null || first !== undefined;
  if (!isMentioned) {
    if (!settings.triggers.changesRequested || review.state !== "changes_requested")
      return NO_MENTION;
    const [{ account }, pull] = await Promise.all([forge.self(), repository.pullRequest(number)]);
    if (pull.author.id !== account.id) return NO_MENTION;
  }
  const isAlone = inBody === null && comments.length === 1;
  if (isAlone && first !== undefined)
    return {
      ...NOTHING,
      ...first.mention,
      cause: `review:${reviewId}`,
      source: {
        kind: "lineComment",
        id: first.comment.id,
        firstId: first.comment.line?.inReplyTo ?? first.comment.id,
      },
      line: first.comment.line,
    };
  const said = comments.map(
    ({ body, line }) => `${oneLine(line?.path ?? "")}:${line?.line ?? ""}: ${body}`,
  );
  return {
    ...NOTHING,
    trigger: isMentioned ? "mention" : "changesRequested",
    command: (inBody ?? first?.mention)?.command ?? "work",
    instruction: [inBody?.instruction ?? review.body, ...said].join("\n\n").trim(),
    cause: `review:${reviewId}`,
    source: { kind: "review", id: reviewId },
  };
}

const NOTHING: Heard = {
  command: "work",
  instruction: "",
  whole: "",
  trigger: "mention",
  cause: "",
  source: { kind: "thread" },
  line: null,
};

function inComment(id: number, mention: Mention | null): Heard | string {
  if (mention === null) return NO_MENTION;
  return { ...NOTHING, ...mention, cause: `comment:${id}`, source: { kind: "comment", id } };
}

function inThread({ repository, number }: ThreadEvent, mention: Mention | null): Heard | string {
  if (mention === null) return NO_MENTION;
  return { ...NOTHING, ...mention, cause: `thread:${repository.id}#${number}` };
}
