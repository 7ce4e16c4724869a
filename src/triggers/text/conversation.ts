import type { Account, Comment, Issue, PullRequest } from "../../forge/forge.ts";
import { oneLine, quoted, sanitise, verbatim } from "./sanitise.ts";

/** What a session is made from. */
export interface Asked {
  asker: Account;
  instruction: string;
  issue: Issue;
  pullRequest: PullRequest | null;
  /** Of the thread, oldest first. */
  comments: readonly Comment[];
  /** The lines that it is about. */
  line: Comment["line"];
  /** What was said or changed later is not shown: nobody who may ask has seen it. */
  askedAt: string;
  bot: Account;
  /** Shown whole, before what was said; of those who ask by themselves it is empty. */
  data: string;
}

/** Of all that is said around a question. */
const MAX_CONTEXT_CHARS = 60_000;
const MAX_DATA_CHARS = 30_000;
/** Who belongs to a repository. What others say is shown to nobody's agent. */
const INSIDERS = new Set(["OWNER", "MEMBER", "COLLABORATOR"]);

/** The question itself, in the words of whoever asked. */
export function requirementsOf({ asker, instruction, issue, pullRequest, line }: Asked): string {
  const what = pullRequest === null ? "issue" : "pull request";
  const lines = [
    `@${asker.login} asks on ${what} #${issue.number} (its text is in the context):`,
    "",
    sanitise(instruction) || `Do what the ${what} asks for.`,
  ];
  if (line !== null)
    lines.push(
      "",
      `This is about ${oneLine(line.path)}${line.line === null ? "" : `, line ${line.line}`}.`,
    );
  lines.push(
    "",
    "End the message of every commit with this line:",
    `Co-authored-by: ${asker.login} <${asker.id}+${asker.login}@users.noreply.github.com>`,
  );
  return lines.join("\n");
}

/** What stands around it: information, each piece with its author and how that one belongs to the repository. */
export function contextOf(asked: Asked): string {
  const { issue, pullRequest, line, bot, askedAt } = asked;
  const head = [
    `Title: ${oneLine(issue.title)}`,
    ...(pullRequest === null
      ? []
      : [
          `Branch: ${oneLine(pullRequest.head.branch)}, to be merged into ${pullRequest.base.branch}`,
        ]),
    piece(issue.author, issue.association, issue.createdAt, issue.body),
    ...(line === null
      ? []
      : [`The lines asked about, of ${oneLine(line.path)}:\n${quoted(verbatim(line.diffHunk))}`]),
  ].join("\n\n");
  const said = asked.comments
    .filter(
      (one) =>
        one.author.id !== bot.id &&
        INSIDERS.has(one.association) &&
        // Both: who changes a comment after the question changes what was asked.
        Date.parse(one.updatedAt) <= Date.parse(askedAt),
    )
    .map((one) => piece(one.author, one.association, one.createdAt, one.body));
  const given = asked.data.slice(0, MAX_DATA_CHARS).toWellFormed();
  const shown = head.slice(0, MAX_CONTEXT_CHARS - given.length).toWellFormed();
  let room = MAX_CONTEXT_CHARS - shown.length - given.length;
  const newest: string[] = [];
  for (const one of said.toReversed()) {
    if ((room -= one.length + 2) < 0) break;
    newest.unshift(one);
  }
  const omitted = said.length - newest.length;
  const note = omitted === 0 ? [] : [`(${omitted} older comments are left out)`];
  return [shown, ...(given === "" ? [] : [given]), ...note, ...newest].join("\n\n");
}

function piece(author: Account, association: string, at: string, body: string): string {
  return `@${author.login} (${association.toLowerCase()}) at ${at}:\n${quoted(sanitise(body))}`;
}
