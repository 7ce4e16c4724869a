import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Job } from "../core/job.ts";
import { isPassing } from "./git.ts";
import type { Git } from "./git.ts";
import type { Outbox } from "./outbox.ts";

/** git's name for a tree without files; stands for "before the first commit". */
export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

export interface Workspace {
  /** Where the work began; the empty tree in an empty repository. */
  baseSha: string;
}

const PATIENCE_MS = 120_000;
const RETRY_MS = { first: 250, most: 4_000 };

/** Clones the repository through the git door and goes to the branch to work on. */
export async function prepareWorkspace(options: {
  job: Job;
  git: Git;
  dir: string;
  gatewayUrl: string;
  outbox: Outbox;
}): Promise<Workspace> {
  const { job, outbox } = options;
  const { repository, baseBranch } = job.workspace;
  const startedAt = performance.now();
  const baseSha = await withRetries(options.dir, () => cloneAndSwitch(options));
  outbox.add("workspace.cloned", {
    repository,
    branch: baseBranch,
    sha: baseSha,
    durationMs: Math.round(performance.now() - startedAt),
  });
  return { baseSha };
}

/** Brings a workspace that was prepared to where its base is by now. */
export async function updateWorkspace(options: {
  job: Job;
  /** Null: that could not be found out, so it stays where it is. */
  baseSha: string | null;
  prepared: Workspace;
  git: Git;
  outbox: Outbox;
}): Promise<Workspace> {
  const { job, baseSha, prepared, git, outbox } = options;
  if (baseSha === null || baseSha === prepared.baseSha) return prepared;
  await git(["fetch", "--quiet", "--no-tags", "origin"]);
  await git(["reset", "--quiet", "--hard", baseSha]);
  outbox.add("workspace.updated", { branch: job.workspace.baseBranch, sha: baseSha });
  return { baseSha };
}

async function cloneAndSwitch({
  job,
  git,
  dir,
  gatewayUrl,
}: {
  job: Job;
  git: Git;
  dir: string;
  gatewayUrl: string;
}): Promise<string> {
  const { baseBranch, commit, startAt, workBranch, author } = job.workspace;
  const url = repositoryUrl(job, gatewayUrl);
  const settings = [
    ["user.name", author.name],
    ["user.email", author.email],
    ["push.default", "current"],
    ["core.hooksPath", "/dev/null"],
  ] as const;
  if (baseBranch === null) {
    await git(["init", "--quiet", "--initial-branch", workBranch ?? "main", "."]);
    for (const [name, value] of settings) await git(["config", name, value]);
    await git(["remote", "add", "origin", url]);
    return commit === null ? EMPTY_TREE : await goTo(git, commit);
  }
  const flags = settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // A sandbox that loses its power loses its work in any case.
  const unsafe = ["-c", "core.fsync=none"];
  await git([
    ...unsafe,
    "clone",
    "--quiet",
    "--no-tags",
    ...flags,
    ...(commit === null ? [] : ["--no-checkout"]),
    "--branch",
    baseBranch,
    url,
    ".",
  ]);
  if (commit !== null) return await goTo(git, commit);
  const gitDir = join(dir, ".git");
  const sha = await readHead(gitDir, baseBranch);
  await pointHead(gitDir, sha, workBranch);
  return startAt === null ? sha : await goBack(git, sha, startAt);
}

/** To an earlier commit of the branch; where that is not there any more, the branch's end is what there is. */
async function goBack(git: Git, sha: string, startAt: string): Promise<string> {
  const isThere = await git(["merge-base", "--is-ancestor", startAt, sha]).then(
    () => true,
    () => false,
  );
  if (!isThere) return sha;
  await git(["reset", "--quiet", "--hard", startAt]);
  return startAt;
}

/** To a commit that may be on no branch. */
async function goTo(git: Git, commit: string): Promise<string> {
  await git(["fetch", "--quiet", "--no-tags", "origin", commit]);
  await git(["checkout", "--quiet", "--detach", commit]);
  return commit;
}

/** What `git rev-parse HEAD` would say right after a clone, without a process. */
async function readHead(gitDir: string, branch: string): Promise<string> {
  return (await readFile(join(gitDir, "refs", "heads", branch), "utf8")).trim();
}

/** What `git checkout -b` and `--detach` would write for the commit that is checked out, without a process. */
async function pointHead(gitDir: string, sha: string, branch: string | null): Promise<void> {
  if (branch === null) {
    await writeFile(join(gitDir, "HEAD"), `${sha}\n`);
    return;
  }
  const ref = join(gitDir, "refs", "heads", branch);
  await mkdir(dirname(ref), { recursive: true });
  await writeFile(ref, `${sha}\n`);
  await writeFile(join(gitDir, "HEAD"), `ref: refs/heads/${branch}\n`);
}

/** The repository as the git door serves it. */
export function repositoryUrl(job: Job, gatewayUrl: string): string {
  return `${gatewayUrl}/git/${job.workspace.repository}.git`;
}

/** The hub, its database or the forge may be away for a while; what git says then is no final word. */
async function withRetries(dir: string, work: () => Promise<string>): Promise<string> {
  const end = Date.now() + PATIENCE_MS;
  for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.most))
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error) || Date.now() > end) throw error;
      for (const name of await readdir(dir))
        await rm(join(dir, name), { recursive: true, force: true });
      await pause(delayMs);
    }
}
