import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GitError } from "./process.ts";

/**
 * Runs a git command that changes a mirror. Another hub's git may hold a lock for a moment: that is waited out. A git
 * that was killed leaves its locks behind: one older than `staleLockMs` is removed.
 */
export async function withLocks<Result>(
  mirrorDir: string,
  staleLockMs: number,
  command: () => Promise<Result>,
): Promise<Result> {
  const giveUpAt = performance.now() + staleLockMs * 2;
  for (;;) {
    try {
      return await command();
    } catch (error) {
      if (!isLocked(error) || performance.now() > giveUpAt) throw error;
      await removeStaleLocks(mirrorDir, staleLockMs);
      await sleep(100);
    }
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof GitError && error.stderr.includes(".lock': File exists");
}

/** Answers how many there were. */
async function removeStaleLocks(mirrorDir: string, staleLockMs: number): Promise<number> {
  const top = await readdir(mirrorDir);
  const below = (await readdir(join(mirrorDir, "refs"), { recursive: true })).map((name) =>
    join("refs", name),
  );
  let removed = 0;
  for (const name of [...top, ...below].filter((one) => one.endsWith(".lock"))) {
    const path = join(mirrorDir, name);
    const found = await stat(path).catch(() => null);
    if (found === null || Date.now() - found.mtimeMs <= staleLockMs) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}
