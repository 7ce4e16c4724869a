import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Job } from "../core/job.ts";
import { gitReason } from "./git.ts";
import type { Git } from "./git.ts";
import type { Outbox } from "./outbox.ts";

/** A git that was killed together with the agent leaves its locks behind, and no other git would work there again. */
export async function removeLocks(gitDir: string): Promise<void> {
  const refs = await namesIn(join(gitDir, "refs"), true);
  const names = (await namesIn(gitDir)).concat(refs.map((name) => join("refs", name)));
  for (const name of names)
    if (name.endsWith(".lock")) await rm(join(gitDir, name), { force: true, recursive: true });
}

async function namesIn(dir: string, recursive = false): Promise<string[]> {
  try {
    return await readdir(dir, { recursive });
  } catch {
    // The agent has destroyed the repository; git is about to say so in better words.
    return [];
  }
}

/** Returns what could not be committed and why; what can be is. */
export async function commitLeftOvers(job: Job, git: Git, outbox: Outbox): Promise<string | null> {
  if ((await statusOf(git)) === "") return null;
  const subject = `Keep what the ${job.type} session left uncommitted`;
  try {
    // One file that cannot be read, or a repository within this one, must not keep back all others.
    const partly = await git(["add", "--all", "--ignore-errors"]).then(() => null, gitReason);
    if ((await git(["diff", "--cached", "--name-only"], { maxBytes: 1_024 })) !== "") {
      await git(["commit", "--quiet", "--no-verify", "--message", subject]);
      outbox.add("commit.created", { sha: (await git(["rev-parse", "HEAD"])).trim(), subject });
    }
    return partly === null ? null : notCommitted(partly);
  } catch (error) {
    return notCommitted(gitReason(error));
  }
}

async function statusOf(git: Git): Promise<string> {
  const status = await git(["status", "--porcelain", "--untracked-files=normal"], {
    maxBytes: 65_536,
  });
  return status.trim();
}

function notCommitted(reason: string): string {
  return `What the agent left could not be committed: ${reason}`;
}
