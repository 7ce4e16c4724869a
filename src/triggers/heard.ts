import type { Trigger } from "../core/repository-settings.ts";
import type { Comment, ForgeRepository } from "../forge/forge.ts";
import type { Source } from "../store/threads/asked.ts";
import type { TriggerDeps } from "./deps.ts";
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
  /** The comment that tells of a session, when its box was ticked. */
  statusCommentId: number | null;
  /** What it is about besides, as data. */
  data?: string;
}

/** What a delivery asks of the bot; a sentence says why it asks nothing. What was said is read from the forge again. */
export async function heardOf(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
): Promise<Heard | string> {
  const listen = LISTENERS[`${event.event}.${event.action}`];
  return listen === undefined ? NO_MENTION : await listen(deps, repository, event);
}

/** Whether people ask for something by such events. */
export function isHeard({ event, action }: ThreadEvent): boolean {
  return LISTENERS[`${event}.${action}`] !== undefined;
}

type Listener = (
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
) => Promise<Heard | string>;

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
  "pull_request_review_comment.created": reviewed,
};

const NO_MENTION = "the bot is not mentioned";

async function commentWritten(
  { settings }: TriggerDeps,
  repository: ForgeRepository,
  { payload }: ThreadEvent,
): Promise<Heard | string> {
  if (payload.comment == null) return "it names no comment";
  const { id, body } = await repository.comment(payload.comment.id);
  return inComment(id, mentionOf(body, settings.botLogin));
}

async function commentEdited(
  { forge, settings }: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { comment, changes } = event.payload;
  if (comment == null) return "it names no comment";
  const before = changes?.body?.from;
  if (before == null) return "its text was not changed";
  const { id, body, author } = await repository.comment(comment.id);
  const { account } = await forge.self();
  if (author.id !== account.id)
    return inComment(id, newlyMentioned(before, body, settings.botLogin));
  // As it was when it was ticked: what it says next may have been written over it since.
  const box = tickedBox(comment.body ?? body);
  if (box === null || tickedBox(before) !== null) return "no box was ticked";
  return {
    ...NOTHING,
    command: box,
    trigger: null,
    cause: `box:${event.deliveryId}`,
    source: { kind: "comment", id },
    statusCommentId: id,
  };
}

async function threadOpened(
  { settings }: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { title, body } = await repository.issue(event.number);
  return inThread(event, mentionOf(`${title}\n\n${body}`, settings.botLogin));
}

async function threadEdited(
  { settings }: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
): Promise<Heard | string> {
  const before = event.payload.changes?.body?.from;
  if (before == null) return "its text was not changed";
  const { body } = await repository.issue(event.number);
  return inThread(event, newlyMentioned(before, body, settings.botLogin));
}

async function labelled(
  { settings }: TriggerDeps,
  repository: ForgeRepository,
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
  { forge }: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
): Promise<Heard | string> {
  const { account } = await forge.self();
  if (event.payload.assignee?.id !== account.id) return "somebody else is assigned";
  const { assignees } = await repository.issue(event.number);
  if (!assignees.some(({ id }) => id === account.id)) return "the bot is assigned no more";
  return { ...NOTHING, trigger: "assignee", cause: `assigned:${event.deliveryId}` };
}

async function reviewRequested(
  { forge }: TriggerDeps,
  _repository: ForgeRepository,
  { payload, deliveryId }: ThreadEvent,
): Promise<Heard | string> {
  const { account } = await forge.self();
  if (payload.requested_reviewer?.id !== account.id) return "somebody else is asked for a review";
  return { ...NOTHING, trigger: "review", command: "review", cause: `reviewer:${deliveryId}` };
}

/** A review and its comments come as several deliveries in any order, and ask for one session. */
async function reviewed(
  { settings, forge }: TriggerDeps,
  repository: ForgeRepository,
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
  statusCommentId: null,
};

function inComment(id: number, mention: Mention | null): Heard | string {
  if (mention === null) return NO_MENTION;
  return { ...NOTHING, ...mention, cause: `comment:${id}`, source: { kind: "comment", id } };
}

function inThread({ repository, number }: ThreadEvent, mention: Mention | null): Heard | string {
  if (mention === null) return NO_MENTION;
  return { ...NOTHING, ...mention, cause: `thread:${repository.id}#${number}` };
}
