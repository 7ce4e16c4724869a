import { spawn } from "node:child_process";
import { once } from "node:events";

export class GitFailed extends Error {
  override name = "GitFailed";
}

/** A refusal is final; a hub, a database or a forge that is away comes back. */
export function isPassing(error: unknown): boolean {
  return error instanceof GitFailed && PASSING.test(error.message);
}
const PASSING =
  /HTTP 5\d\d|returned error: 5\d\d|could not be reached|hung up|early EOF|Connection|Empty reply|RPC failed/i;

/** git in the workspace, as the runner needs it. Its output is bounded; what is beyond is cut off. */
export interface Git {
  /** Standard output. Throws GitFailed with what git told the person. */
  (args: string[], options?: { maxBytes?: number; timeoutMs?: number }): Promise<string>;
}

const MAX_BYTES = 8 * 1_048_576;
const TIMEOUT_MS = 600_000;

/** Settings that neither the repository nor the agent may change for the runner's own calls. */
const FIXED = ["-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "gc.auto=0"];

export function createGit(options: { cwd: string; env: Record<string, string> }): Git {
  return async (args, { maxBytes = MAX_BYTES, timeoutMs = TIMEOUT_MS } = {}) => {
    const child = spawn("git", [...FIXED, ...args], {
      cwd: options.cwd,
      // The runner reads and writes refs of a fresh clone as files.
      env: { ...options.env, GIT_DEFAULT_REF_FORMAT: "files" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (size < maxBytes) chunks.push(chunk.subarray(0, maxBytes - size));
      size += chunk.length;
      // Enough is known; the rest need not be computed.
      if (size >= maxBytes) child.stdout.destroy();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-8_192);
    });
    const spawnFailed = new Promise<never>((_, reject) => {
      child.once("error", (error) => reject(new GitFailed(`git: ${error.message}`)));
    });
    await Promise.race([once(child, "close"), spawnFailed]);
    if (child.exitCode !== 0 && size < maxBytes) throw new GitFailed(explain(args, errors));
    return Buffer.concat(chunks).toString("utf8");
  };
}

/** What git told the person; any other error goes on its way. */
export function gitReason(error: unknown): string {
  if (error instanceof GitFailed) return error.message;
  throw error;
}

function explain(args: string[], errors: string): string {
  const lines = errors
    .split("\n")
    .map((line) => line.replace(/^(fatal|error|remote): */i, "").trim())
    .filter((line) => line !== "" && !line.startsWith("hint:"));
  return `git ${args[0] ?? ""}: ${lines.slice(-3).join("; ").slice(0, 600) || "failed"}`;
}
