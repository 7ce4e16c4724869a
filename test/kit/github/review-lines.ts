import { changesBetween, findLine, hunkUpTo, parsePatch } from "./diff.ts";
import type { FileChange } from "./diff.ts";
import { GitHubError } from "./errors.ts";
import { fileAt } from "./git.ts";
import type { PullIssue } from "./present/pull.ts";
import type { Repository, ReviewComment, Side } from "./state.ts";

export interface AskedLine {
  path: string;
  line?: number | undefined;
  side?: Side | undefined;
  start_line?: number | undefined;
  start_side?: Side | undefined;
  /** GitHub's old way: lines below the first `@@`. */
  position?: number | undefined;
  subject_type?: "line" | "file" | undefined;
}

export type Place = Pick<
  ReviewComment,
  "path" | "side" | "line" | "originalLine" | "startLine" | "startSide" | "subject" | "hunk"
>;

/** Finds where a comment belongs; what is not part of the difference is refused. */
export function placeOf(
  files: readonly FileChange[],
  asked: AskedLine,
  refuse: (field: string) => GitHubError,
): Place {
  const file = files.find((each) => each.path === asked.path);
  if (file === undefined) throw refuse("path");
  const none = { line: null, originalLine: null, startLine: null, startSide: null };
  if (asked.subject_type === "file") {
    return { path: file.path, side: "RIGHT", subject: "file", hunk: file.patch ?? "", ...none };
  }
  const { side, line } = asked.position === undefined ? asked : atPosition(file, asked.position);
  if (line === undefined) throw refuse("line");
  const at = findLine(file.patch, side ?? "RIGHT", line);
  if (at === undefined || file.patch === null) throw refuse("line");
  if (asked.start_line !== undefined) {
    const start = findLine(file.patch, asked.start_side ?? side ?? "RIGHT", asked.start_line);
    if (start === undefined || start.hunk !== at.hunk || start.position >= at.position) {
      throw refuse("start_line");
    }
  }
  return {
    path: file.path,
    side: side ?? "RIGHT",
    line,
    originalLine: line,
    startLine: asked.start_line ?? null,
    startSide: asked.start_line === undefined ? null : (asked.start_side ?? side ?? "RIGHT"),
    subject: "line",
    hunk: hunkUpTo(file.patch, at),
  };
}

function atPosition(file: FileChange, position: number): { side?: Side; line?: number } {
  const at = parsePatch(file.patch ?? "").find((each) => each.position === position);
  if (at === undefined) return {};
  return at.side === "LEFT" ? { side: "LEFT", line: at.left } : { side: "RIGHT", line: at.right };
}

/** After a push a comment stays where its line still reads the same and is part of the difference; otherwise it is outdated. */
export async function moveComments(
  repository: Repository,
  issue: PullIssue,
  head: string,
): Promise<void> {
  const comments = repository.reviewComments.filter((each) => each.issue === issue);
  if (comments.length === 0) return;
  const files = await changesBetween(repository, issue.pull.baseSha, head);
  for (const comment of comments) {
    if (comment.line === null) continue;
    const patch = files.find((file) => file.path === comment.path)?.patch ?? null;
    const same =
      comment.side === "LEFT" ||
      (await lineAt(repository, comment.sha, comment)) ===
        (await lineAt(repository, head, comment));
    if (same && findLine(patch, comment.side, comment.line) !== undefined) comment.sha = head;
    else comment.line = null;
  }
}

async function lineAt(
  repository: Repository,
  sha: string,
  { path, line }: ReviewComment,
): Promise<string | undefined> {
  const text = await fileAt(repository, sha, path);
  return text?.split("\n")[(line ?? 0) - 1];
}
