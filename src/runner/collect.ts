import type { Artifact } from "../core/artifact.ts";
import type { Job } from "../core/job.ts";
import { LIMITS } from "../core/limits.ts";
import { GitFailed } from "./git.ts";
import type { Git } from "./git.ts";
import type { Outbox } from "./outbox.ts";

const COMMITS = 200;
const PUSH_ATTEMPTS = 5;

/** What really changed, by git. */
export interface Changes {
  artifacts: Artifact[];
  diff: string;
  /** Why the work could not be pushed; null: it was, or there was nothing to push. */
  pushError: string | null;
}

/** Commits what the agent has left, pushes the branch, and lists what the session has made. */
export async function collectChanges(options: {
  job: Job;
  git: Git;
  baseSha: string;
  outbox: Outbox;
}): Promise<Changes> {
  const { job, git, baseSha, outbox } = options;
  if (!job.policy.edit) return { artifacts: [], diff: "", pushError: null };
  await commitLeftOvers(job, git, outbox);
  const head = await git(["rev-parse", "--verify", "--quiet", "HEAD"]).then(
    (sha) => sha.trim(),
    () => null,
  );
  if (head === null || head === baseSha) return { artifacts: [], diff: "", pushError: null };
  const pushError = await pushWork(job, git, head);
  const commits = await listCommits(git, baseSha);
  const files = await listFiles(git, baseSha);
  outbox.add("changes.collected", {
    files: files.length,
    additions: sum(files, "additions"),
    deletions: sum(files, "deletions"),
    commits: commits.length,
  });
  const diff = await git(
    ["diff", "--no-color", "--no-ext-diff", "--no-textconv", baseSha, "HEAD"],
    {
      maxBytes: LIMITS.diffBytes,
    },
  );
  return {
    artifacts: [...commits, ...files].slice(0, LIMITS.artifacts),
    // Each byte that is no UTF-8 becomes a longer character, and a cut goes to a line's end.
    diff: cutAtLine(diff, LIMITS.diffBytes),
    pushError,
  };
}

async function commitLeftOvers(job: Job, git: Git, outbox: Outbox): Promise<void> {
  const status = await git(["status", "--porcelain", "--untracked-files=normal"], {
    maxBytes: 65_536,
  });
  if (status.trim() === "") return;
  const subject = `Keep what the ${job.type} session left uncommitted`;
  await git(["add", "--all"]);
  await git(["commit", "--quiet", "--no-verify", "--message", subject]);
  const sha = (await git(["rev-parse", "HEAD"])).trim();
  outbox.add("commit.created", { sha, subject });
}

/** To the session's own branch, whatever the agent's branch is called; nothing to do when the agent has pushed it. */
async function pushWork(job: Job, git: Git, head: string): Promise<string | null> {
  const { workBranch } = job.workspace;
  if (workBranch === null) return null;
  const pushed = await git([
    "rev-parse",
    "--verify",
    "--quiet",
    `refs/remotes/origin/${workBranch}`,
  ])
    .then((sha) => sha.trim())
    .catch(() => null);
  if (pushed === head) return null;
  for (let attempt = 1; ; attempt += 1)
    try {
      await git(["push", "--quiet", "--no-verify", "origin", `HEAD:refs/heads/${workBranch}`]);
      return null;
    } catch (error) {
      if (!(error instanceof GitFailed)) throw error;
      // A refusal is final; a hub or a forge that is away comes back.
      const passing = /HTTP 5\d\d|hung up|early EOF|Connection|Empty reply|RPC failed/i;
      if (!passing.test(error.message) || attempt === PUSH_ATTEMPTS) return error.message;
    }
}

async function listCommits(git: Git, baseSha: string): Promise<Artifact[]> {
  const range = (await isAncestor(git, baseSha)) ? `${baseSha}..HEAD` : "HEAD";
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

async function isAncestor(git: Git, sha: string): Promise<boolean> {
  return await git(["merge-base", "--is-ancestor", sha, "HEAD"]).then(
    () => true,
    () => false,
  );
}

const STATUS: Record<string, string> = { A: "added", D: "deleted", M: "modified", T: "modified" };

async function listFiles(git: Git, baseSha: string): Promise<Artifact[]> {
  const range = ["-z", "--no-renames", "--no-ext-diff", baseSha, "HEAD"];
  const [numbers, names] = [
    await git(["diff", "--numstat", ...range]),
    await git(["diff", "--name-status", ...range]),
  ];
  const words = names.split("\0");
  const statuses = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2)
    statuses.set(words[at + 1] ?? "", STATUS[words[at] ?? ""] ?? "modified");
  return numbers
    .split("\0")
    .filter((line) => line !== "")
    .slice(0, LIMITS.artifacts)
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
    });
}

function sum(files: Artifact[], key: string): number {
  return files.reduce((total, { metadata }) => total + Number(metadata?.[key] ?? 0), 0);
}

function cutAtLine(text: string, maxChars: number): string {
  return text.length < maxChars ? text : text.slice(0, text.lastIndexOf("\n", maxChars - 1) + 1);
}
