import { git } from "./git.ts";
import type { Repository, Side } from "./state.ts";

export interface FileChange {
  sha: string;
  path: string;
  previousPath: string | null;
  status: "added" | "modified" | "removed" | "renamed";
  additions: number;
  deletions: number;
  /** From the first `@@` on, as GitHub gives it; null for what is not text. */
  patch: string | null;
}

interface DiffLine {
  side: Side | "BOTH";
  left: number;
  right: number;
  text: string;
  /** Counted from the line below the first `@@`, as GitHub's old `position`. */
  position: number;
  /** Index of its hunk. */
  hunk: number;
}

/** What `head` changed since it left `base`. */
export async function changesBetween(
  repository: Repository,
  base: string,
  head: string,
): Promise<FileChange[]> {
  const text = await git(
    repository,
    "-c",
    "core.quotePath=false",
    "diff",
    "-M",
    "--full-index",
    "--no-color",
    `${base}...${head}`,
  );
  return text
    .split(/^(?=diff --git )/m)
    .filter((part) => part !== "")
    .map(parseFile);
}

export async function diffText(repository: Repository, base: string, head: string) {
  return `${await git(repository, "diff", "-M", "--no-color", `${base}...${head}`)}\n`;
}

function parseFile(part: string): FileChange {
  const start = part.search(/^@@ /m);
  const head = start < 0 ? part : part.slice(0, start);
  const patch = start < 0 ? null : part.slice(start).trimEnd();
  const lines = patch === null ? [] : parsePatch(patch);
  const line = (pattern: RegExp) => pattern.exec(head)?.[1];
  const named = line(/^diff --git a\/.* b\/(.*)$/m) ?? "";
  const previousPath = line(/^rename from (.*)$/m) ?? null;
  let status: FileChange["status"] = "modified";
  if (/^new file/m.test(head)) status = "added";
  else if (/^deleted file/m.test(head)) status = "removed";
  else if (previousPath !== null) status = "renamed";
  const index = /^index (\w+)\.\.(\w+)/m.exec(head);
  return {
    sha: (status === "removed" ? index?.[1] : index?.[2]) ?? "0".repeat(40),
    path: line(/^rename to (.*)$/m) ?? named,
    previousPath,
    status,
    additions: lines.filter((each) => each.side === "RIGHT").length,
    deletions: lines.filter((each) => each.side === "LEFT").length,
    patch,
  };
}

export function parsePatch(patch: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let left = 0;
  let right = 0;
  let hunk = -1;
  for (const [position, text] of patch.split("\n").entries()) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text);
    if (header !== null) {
      left = Number(header[1]);
      right = Number(header[2]);
      hunk += 1;
      continue;
    }
    const at = { left, right, text, position, hunk };
    if (text.startsWith("+")) {
      lines.push({ ...at, side: "RIGHT" });
      right += 1;
    } else if (text.startsWith("-")) {
      lines.push({ ...at, side: "LEFT" });
      left += 1;
    } else if (!text.startsWith("\\")) {
      lines.push({ ...at, side: "BOTH" });
      left += 1;
      right += 1;
    }
  }
  return lines;
}

export function findLine(patch: string | null, side: Side, line: number): DiffLine | undefined {
  return parsePatch(patch ?? "").find((each) => {
    if (each.side !== side && each.side !== "BOTH") return false;
    return (side === "LEFT" ? each.left : each.right) === line;
  });
}

/** The hunk as far as a line, which is what GitHub shows above a comment. */
export function hunkUpTo(patch: string, { position }: DiffLine): string {
  const lines = patch.split("\n").slice(0, position + 1);
  const start = lines.findLastIndex((line) => line.startsWith("@@ "));
  return lines.slice(start).join("\n");
}
