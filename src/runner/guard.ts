import { appendFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Job } from "../core/job.ts";
import type { Git } from "./git.ts";
import type { Outbox } from "./outbox.ts";

/** What makes the agent run things or changes what it may do. */
const GUARDED = [".claude", ".mcp.json"];
const SYMLINK = "120000";

interface Entry {
  mode: string;
  path: string;
}

/**
 * Takes the agent's configuration from the default branch alone: a branch that anybody may have written must not
 * configure the agent that works on it. The files on the branch itself stay as they are: what is exchanged here is
 * invisible to git.
 */
export async function guardConfiguration(options: {
  job: Job;
  git: Git;
  dir: string;
  outbox: Outbox;
}): Promise<void> {
  const { job, git, dir } = options;
  const { baseBranch, commit, defaultBranch } = job.workspace;
  if (commit === null && (baseBranch === null || baseBranch === defaultBranch)) return;
  const [here, trusted] = [
    await entries(git, "HEAD"),
    defaultBranch === null ? [] : await entries(git, `refs/remotes/origin/${defaultBranch}`),
  ];
  if (JSON.stringify(here) === JSON.stringify(trusted)) return;
  const tracked = here.map(({ path }) => path);
  if (tracked.length > 0) await git(["update-index", "--skip-worktree", "--", ...tracked]);
  for (const path of GUARDED) await rm(join(dir, path), { recursive: true, force: true });
  // A link would lead to files of the untrusted branch again.
  const restorable = trusted.filter(({ mode }) => mode !== SYMLINK).map(({ path }) => path);
  if (restorable.length > 0 && defaultBranch !== null)
    await git([
      "restore",
      `--source=refs/remotes/origin/${defaultBranch}`,
      "--worktree",
      "--ignore-skip-worktree-bits",
      "--",
      ...restorable,
    ]);
  const info = join(dir, ".git", "info");
  await mkdir(info, { recursive: true });
  await appendFile(join(info, "exclude"), GUARDED.map((path) => `/${path}\n`).join(""));
  options.outbox.add("workspace.guarded", {
    paths: [...new Set([...tracked, ...restorable])].slice(0, 200),
  });
}

/** Mode, object and path of every guarded file. */
async function entries(git: Git, tree: string): Promise<(Entry & { object: string })[]> {
  const listed = await git(["ls-tree", "-r", "-z", tree, "--", ...GUARDED]);
  return listed
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [head = "", path = ""] = line.split("\t");
      const [mode = "", , object = ""] = head.split(" ");
      return { mode, object, path };
    });
}
