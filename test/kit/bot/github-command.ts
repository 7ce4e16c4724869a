import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");

/** A call of `claude-hub github …` that is under way. */
export interface GitHubCommand extends AsyncDisposable {
  /** What it has printed on both streams. */
  output(): string;
  /** Answers the exit code. */
  ended(): Promise<number | null>;
}

/** `claude-hub github …` as an operator calls it, in an environment made from nothing. */
export function callGitHub(
  dir: string,
  args: string[],
  { env = {}, input = "" }: { env?: Record<string, string>; input?: string } = {},
): GitHubCommand {
  const child = spawn(process.execPath, [MAIN, "github", ...args], {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: dir, CLAUDE_HUB_DIR: dir, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // It may end without reading.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const closed = once(child, "close");
  return {
    output: () => output,
    async ended() {
      await closed;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}
