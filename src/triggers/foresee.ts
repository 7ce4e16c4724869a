import type { ForgeRepository } from "../forge/forge.ts";
import { COMMENTS_SHOWN } from "./ask.ts";
import { isHeard } from "./heard.ts";
import { isAboutThread } from "./payload.ts";
import type { ForgeEvent, ThreadEvent } from "./payload.ts";
import { mentionOf } from "./text/mention.ts";

/**
 * Begins to read, side by side, what will be asked for one after the other if a delivery is what it seems to be: a mention of
 * the bot. Nothing is decided by what it says itself.
 *
 * @param repository Whose reads are shared.
 */
export function foreseeMention(
  repository: ForgeRepository,
  event: ForgeEvent,
  botLogin: string,
): void {
  if (!isAboutThread(event) || !isHeard(event) || event.sender.isBot) return;
  const { comment, issue, pull_request: pull } = event.payload;
  const thread = issue ?? pull;
  const said = comment == null ? `${thread?.title ?? ""}\n\n${thread?.body ?? ""}` : comment.body;
  if (said == null || mentionOf(said, botLogin) === null) return;
  begin(repository.permissionOf(event.sender.login));
  if (event.event === "issue_comment" && comment != null) begin(repository.comment(comment.id));
  if (comment == null) begin(repository.issue(event.number));
}

/** The same for a session that somebody may ask for. */
export function foreseeWork(
  repository: ForgeRepository,
  { event, number, payload }: ThreadEvent,
): void {
  begin(repository.issue(number));
  begin(repository.comments(number, COMMENTS_SHOWN));
  if (event === "issues" || (event === "issue_comment" && payload.issue?.pull_request == null))
    return;
  begin(repository.pullRequest(number));
  begin(repository.facts());
}

/** What goes wrong is told to whoever asks for it. */
function begin(read: Promise<unknown>): void {
  read.catch(() => undefined);
}
