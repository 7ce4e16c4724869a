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
/** Of a command, in a sentence about it. */
const COMMAND_CHARS = 100;

/**
 * Runs the setup hook, if the default branch has one, and the commands of the repository's settings, which are its default
 * branch's as well; the branch that is worked on has no say in either. The first that fails is the last.
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
  const { job, homeDir, outbox, signal } = options;
  if (!job.policy.edit) return null;
  const limit = AbortSignal.timeout(job.limits.setupMs);
  for (const { argv, what, told } of await stepsOf(job, options.git, options.dir, homeDir)) {
    outbox.add("setup.started", told);
    const startedAt = performance.now();
    const print = ({ text }: { text: string }) => outbox.add("setup.printed", { line: text });
    const { exitCode } = await runProgram({
      argv,
      env: options.env,
      cwd: options.dir,
      stdin: "",
      maxLineBytes: LINE_BYTES,
      signal: AbortSignal.any([limit, signal]),
      onStart: () => undefined,
      onOutput: print,
      onError: print,
    });
    const durationMs = Math.round(performance.now() - startedAt);
    outbox.add("setup.finished", { exitCode, durationMs });
    if (signal.aborted) return `${what} was ended before its time`;
    if (limit.aborted) return `${what} took longer than ${job.limits.setupMs} ms`;
    if (exitCode !== 0) return `${what} ended with exit code ${exitCode ?? "unknown"}`;
  }
  return null;
}

interface Step {
  argv: string[];
  /** How a sentence about it begins. */
  what: string;
  told: { path: string } | { command: string };
}

async function stepsOf(job: Job, git: Git, dir: string, homeDir: string): Promise<Step[]> {
  const steps = job.setup.map((command): Step => ({
    argv: ["/bin/sh", "-c", command],
    what: `The setup command "${command.slice(0, COMMAND_CHARS)}"`,
    told: { command },
  }));
  const hook = await readHook(job, git, dir);
  if (hook === null) return steps;
  const path = join(homeDir, "setup.sh");
  await writeFile(path, hook, { mode: 0o700 });
  const first: Step = { argv: ["/bin/sh", path], what: "The setup hook", told: { path: HOOK } };
  return [first, ...steps];
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
