import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

/** An environment for git built from nothing, in which the same commit always gets the same id. */
export const gitEnvironment = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ada Forge",
  GIT_AUTHOR_EMAIL: "ada@forge.invalid",
  GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
  GIT_COMMITTER_NAME: "Ada Forge",
  GIT_COMMITTER_EMAIL: "ada@forge.invalid",
  GIT_COMMITTER_DATE: "2026-01-01T00:00:00Z",
};

/** Runs git and returns what it printed, trimmed; throws with its standard error when it fails. */
export async function runGit(
  args: string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<string> {
  const { stdout } = await run("git", args, {
    cwd,
    env: { ...gitEnvironment, ...env },
    maxBuffer: OUTPUT_LIMIT_BYTES,
  });
  return stdout.trimEnd();
}
