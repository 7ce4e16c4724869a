import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Artifact } from "../core/artifact.ts";
import type { Job } from "../core/job.ts";
import { LIMITS } from "../core/limits.ts";
import { gitReason, isPassing } from "./git.ts";
import type { Git } from "./git.ts";
import { commitLeftOvers, removeLocks } from "./left-overs.ts";
import type { Outbox } from "./outbox.ts";
import { repositoryUrl } from "./workspace.ts";

const COMMITS = 200;
const PUSH_ATTEMPTS = 7;
const PUSH_RETRY_MS = 250;

/** What really changed, by git. */
export interface Changes {
  artifacts: Artifact[];
  diff: string;
  /** One sentence: what of the work was not kept, and why. Null: everything was, or there was nothing to keep. */
  error: string | null;
}

/** Commits what the agent has left, pushes the branch, and lists what the session has made. */
export async function collectChanges(options: {
  job: Job;
  git: Git;
  dir: string;
  baseSha: string;
  gatewayUrl: string;
  outbox: Outbox;
}): Promise<Changes> {
  const { job, git, dir, baseSha, gatewayUrl, outbox } = options;
  if (!job.policy.edit) return { artifacts: [], diff: "", error: null };
  await removeLocks(join(dir, ".git"));
  const leftError = await commitLeftOvers(job, git, outbox);
  const tip = await tipOf(git, job.workspace.workBranch, baseSha);
  if (tip === null) return { artifacts: [], diff: "", error: leftError };
  const pushError = await pushWork(job, git, tip, repositoryUrl(job, gatewayUrl));
  const commits = await listCommits(git, baseSha, tip);
  const files = await listFiles(git, baseSha, tip);
  outbox.add("changes.collected", {
    files: files.length,
    additions: sum(files, "additions"),
    deletions: sum(files, "deletions"),
    commits: commits.length,
  });
  const diff = await git(["diff", "--no-color", "--no-ext-diff", "--no-textconv", baseSha, tip], {
    maxBytes: LIMITS.diffBytes,
  });
  return {
    artifacts: [...commits, ...files].slice(0, LIMITS.artifacts),
    // A whole diff ends with a line break; one that was cut is shortened to its last.
    diff: diff.slice(0, diff.lastIndexOf("\n") + 1),
    error: pushError ?? leftError,
  };
}

/** Where the work ends: the agent's HEAD, or the work branch when it went back to the beginning after committing. */
async function tipOf(git: Git, workBranch: string | null, baseSha: string): Promise<string | null> {
  for (const name of ["HEAD", ...(workBranch === null ? [] : [`refs/heads/${workBranch}`])]) {
    const sha = await git(["rev-parse", "--verify", "--quiet", name]).then(
      (text) => text.trim(),
      () => null,
    );
    if (sha !== null && sha !== baseSha) return sha;
  }
  return null;
}

/**
 * To the session's own branch, whatever the agent's branch is called, and to the git door, whatever `origin` has
 * become. Also when the agent says that it has pushed: only the door knows, and it is asked in one request.
 */
async function pushWork(job: Job, git: Git, tip: string, url: string): Promise<string | null> {
  const { workBranch } = job.workspace;
  if (workBranch === null) return null;
  for (let attempt = 1; ; attempt += 1)
    try {
      await git(["push", "--quiet", "--no-verify", url, `${tip}:refs/heads/${workBranch}`]);
      return null;
    } catch (error) {
      const reason = gitReason(error);
      if (!isPassing(error) || attempt === PUSH_ATTEMPTS)
        return `The work could not be pushed: ${reason}`;
      await pause(PUSH_RETRY_MS * 2 ** attempt);
    }
}

async function listCommits(git: Git, baseSha: string, tip: string): Promise<Artifact[]> {
  const range = (await isAncestor(git, baseSha, tip)) ? `${baseSha}..${tip}` : tip;
  const listed = await git([
    "log",
    `--max-count=${COMMITS}`,
    "-z",
    "--format=%H %s",
    "--reverse",
    range,
  ]);
  return listed
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => ({
      type: "commit",
      sha: line.slice(0, 40),
      metadata: { subject: line.slice(41, 541).toWellFormed() },
    }));
}

async function isAncestor(git: Git, sha: string, tip: string): Promise<boolean> {
  return await git(["merge-base", "--is-ancestor", sha, tip]).then(
    () => true,
    () => false,
  );
}

const STATUS: Record<string, string> = { A: "added", D: "deleted", M: "modified", T: "modified" };

async function listFiles(git: Git, baseSha: string, tip: string): Promise<Artifact[]> {
  const range = ["-z", "--no-renames", "--no-ext-diff", baseSha, tip];
  const [numbers, names] = [
    await git(["diff", "--numstat", ...range]),
    await git(["diff", "--name-status", ...range]),
  ];
  const words = names.split("\0");
  const statuses = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2)
    statuses.set(words[at + 1] ?? "", STATUS[words[at] ?? ""] ?? "modified");
  return (
    numbers
      .split("\0")
      // Behind the last NUL stands nothing, or the beginning of an entry that was cut.
      .slice(0, -1)
      .map((line) => {
        const [additions = "", deletions = "", ...path] = line.split("\t");
        const name = path.join("\t");
        return {
          type: "file",
          path: name.slice(0, 4_096).toWellFormed(),
          metadata: {
            status: statuses.get(name) ?? "modified",
            // A dash stands for a binary file.
            additions: Number(additions) || 0,
            deletions: Number(deletions) || 0,
          },
        };
      })
  );
}

function sum(files: Artifact[], key: string): number {
  return files.reduce((total, { metadata }) => total + Number(metadata?.[key] ?? 0), 0);
}
