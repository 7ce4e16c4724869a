import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** Of a file that holds the name of a commit or of a branch. */
const FILE_BYTES = 512;
const SHA = /^[0-9a-f]{40}$/;

/** Sees when the checkout has come to another commit: by two small files, without a process. */
export function watchHead(workspaceDir: string, onMove: (sha: string) => void) {
  let last = headOf(workspaceDir);
  return {
    look(): void {
      const sha = headOf(workspaceDir);
      if (sha === null || sha === last) return;
      last = sha;
      onMove(sha);
    },
  };
}

/** Null: it is not known, because git has packed it, or the agent has made something else of these files. */
function headOf(workspaceDir: string): string | null {
  const text = textOf(join(workspaceDir, ".git", "HEAD"));
  if (text === null || SHA.test(text)) return text;
  const branch = /^ref: (refs\/heads\/[\w./-]+)$/.exec(text)?.[1];
  if (branch === undefined || branch.includes("..")) return null;
  const sha = textOf(join(workspaceDir, ".git", branch));
  return sha !== null && SHA.test(sha) ? sha : null;
}

/** What belongs to the agent may be anything: a pipe would be waited for, and a link may lead anywhere. */
function textOf(path: string): string | null {
  let file: number | null = null;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if (!fstatSync(file).isFile()) return null;
    const buffer = Buffer.alloc(FILE_BYTES);
    return buffer.toString("utf8", 0, readSync(file, buffer)).trim();
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}
