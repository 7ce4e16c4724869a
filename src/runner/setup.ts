import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Job } from "../core/job.ts";
import { GitFailed } from "./git.ts";
import type { Git } from "./git.ts";
import type { Outbox } from "./outbox.ts";
import { runProgram } from "./process.ts";

/** A repository's own preparation: what it installs or builds before an agent works on it. */
const HOOK = ".claude-hub/setup.sh";
const LINE_BYTES = 65_536;

/**
 * Runs the setup hook, if the default branch has one; the branch that is worked on has no say in it.
 *
 * @returns Why the session cannot go on, or null.
 */
export async function runSetup(options: {
  job: Job;
  git: Git;
  dir: string;
  homeDir: string;
  env: Record<string, string>;
  outbox: Outbox;
  signal: AbortSignal;
}): Promise<string | null> {
  const { job, outbox } = options;
  if (!job.policy.edit) return null;
  const hook = await readHook(job, options.git, options.dir);
  if (hook === null) return null;
  const path = join(options.homeDir, "setup.sh");
  await writeFile(path, hook, { mode: 0o700 });
  outbox.add("setup.started", { path: HOOK });
  const startedAt = performance.now();
  const limit = AbortSignal.timeout(job.limits.setupMs);
  const print = ({ text }: { text: string }) => outbox.add("setup.printed", { line: text });
  const { exitCode } = await runProgram({
    argv: ["/bin/sh", path],
    env: options.env,
    cwd: options.dir,
    stdin: "",
    maxLineBytes: LINE_BYTES,
    signal: AbortSignal.any([limit, options.signal]),
    onStart: () => undefined,
    onOutput: print,
    onError: print,
  });
  const durationMs = Math.round(performance.now() - startedAt);
  outbox.add("setup.finished", { exitCode, durationMs });
  if (limit.aborted) return `The setup hook took longer than ${job.limits.setupMs} ms`;
  return exitCode === 0 ? null : `The setup hook ended with exit code ${exitCode ?? "unknown"}`;
}

async function readHook(job: Job, git: Git, dir: string): Promise<string | null> {
  const { baseBranch, defaultBranch } = job.workspace;
  if (baseBranch === null || defaultBranch === null) return null;
  // The usual case, answered without a process.
  if (baseBranch === defaultBranch && !existsSync(join(dir, HOOK))) return null;
  try {
    return await git(["show", `refs/remotes/origin/${defaultBranch}:${HOOK}`]);
  } catch (error) {
    // git has no other way to say that there is no such file.
    if (error instanceof GitFailed) return null;
    throw error;
  }
}
