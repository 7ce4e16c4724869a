import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Job } from "../core/job.ts";
import type { Git } from "./git.ts";
import type { Outbox } from "./outbox.ts";

/** git's name for a tree without files; stands for "before the first commit". */
export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

export interface Workspace {
  /** Where the work began; the empty tree in an empty repository. */
  baseSha: string;
}

const ATTEMPTS = 4;
const RETRY_MS = 500;

/** Clones the repository through the git door and goes to the branch to work on. */
export async function prepareWorkspace(options: {
  job: Job;
  git: Git;
  dir: string;
  gatewayUrl: string;
  outbox: Outbox;
}): Promise<Workspace> {
  const { job, git, outbox } = options;
  const { repository, baseBranch } = job.workspace;
  const startedAt = performance.now();
  const baseSha = await withRetries(options.dir, () => cloneAndSwitch(options));
  outbox.add("workspace.cloned", {
    repository,
    branch: baseBranch,
    sha: baseSha,
    durationMs: Math.round(performance.now() - startedAt),
  });
  await git(["config", "push.default", "current"]);
  return { baseSha };
}

async function cloneAndSwitch({
  job,
  git,
  gatewayUrl,
}: {
  job: Job;
  git: Git;
  gatewayUrl: string;
}): Promise<string> {
  const { baseBranch, workBranch, author } = job.workspace;
  const url = repositoryUrl(job, gatewayUrl);
  const identity = [`user.name=${author.name}`, `user.email=${author.email}`];
  if (baseBranch === null) {
    await git(["init", "--quiet", "--initial-branch", workBranch ?? "main", "."]);
    for (const setting of identity) await git(["config", ...splitSetting(setting)]);
    await git(["remote", "add", "origin", url]);
    return EMPTY_TREE;
  }
  const settings = [...identity, "core.hooksPath=/dev/null"].flatMap((one) => ["-c", one]);
  await git(["clone", "--quiet", "--no-tags", ...settings, "--branch", baseBranch, url, "."]);
  await git(
    workBranch === null
      ? ["checkout", "--quiet", "--detach"]
      : ["checkout", "--quiet", "--no-track", "-b", workBranch],
  );
  return (await git(["rev-parse", "HEAD"])).trim();
}

/** The repository as the git door serves it. */
export function repositoryUrl(job: Job, gatewayUrl: string): string {
  return `${gatewayUrl}/git/${job.workspace.repository}.git`;
}

function splitSetting(setting: string): string[] {
  const at = setting.indexOf("=");
  return [setting.slice(0, at), setting.slice(at + 1)];
}

/** The hub may be restarted in the middle of a clone. */
async function withRetries(dir: string, work: () => Promise<string>): Promise<string> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      for (const name of await readdir(dir))
        await rm(join(dir, name), { recursive: true, force: true });
      await pause(RETRY_MS * attempt);
    }
}
