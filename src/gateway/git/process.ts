import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { write } from "../write.ts";

export type GitChild = ChildProcessByStdio<Writable, Readable, Readable>;

/** Settings of every git that the hub starts: nothing of the machine's, no hooks, no questions, no background work. */
const SETTINGS: readonly Setting[] = [
  ["core.hooksPath", "/dev/null"],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["pack.threads", "2"],
  // A larger blob is streamed, so that a small pack cannot unfold into a lot of memory.
  ["core.bigFileThreshold", "16m"],
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "60"],
];

export type Setting = readonly [key: string, value: string];

/**
 * The whole environment of a git process. Settings go by environment, because argv is visible to every user of the
 * machine and a file would outlive the process.
 *
 * @param base PATH, and what git needs to reach the forge (proxy, certificates).
 */
export function gitEnvironment(
  base: Readonly<Record<string, string>>,
  settings: readonly Setting[] = [],
): Record<string, string> {
  const all = [...SETTINGS, ...settings];
  return {
    ...base,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_ALLOW_PROTOCOL: "http:https",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(
      all.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** A git process that ended with anything but 0, or had to be ended. */
export class GitError extends Error {
  readonly stderr: string;
  readonly stdout: string;

  constructor(command: string, how: string, output: { stdout: string; stderr: string }) {
    super(`git ${command} ${how}: ${output.stderr.trim().slice(-2_000)}`);
    this.name = "GitError";
    this.stdout = output.stdout;
    this.stderr = output.stderr;
  }
}

/** Starts git as the leader of its own process group, so that `killGit` reaches its helpers too. */
export function spawnGit(args: readonly string[], env: Record<string, string>): GitChild {
  const child = spawn("git", args, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  // A child may end before it has read everything; its exit code tells the story.
  child.stdin.on("error", () => undefined);
  return child;
}

export function killGit(child: GitChild): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    // SIGTERM, not SIGKILL: git removes its temporary and lock files on it.
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // It ended in this very moment.
  }
}

/** Runs git to its end and answers what it printed. @throws GitError */
export async function runGit(run: {
  args: readonly string[];
  env: Record<string, string>;
  timeoutMs: number;
  input?: AsyncIterable<Uint8Array> | string;
  maxOutputBytes?: number;
  /** Ends it before its time. */
  signal?: AbortSignal;
}): Promise<{ stdout: string; stderr: string }> {
  const child = spawnGit(run.args, run.env);
  let ended = "";
  const end = (how: string) => {
    ended ||= how;
    killGit(child);
  };
  const timer = setTimeout(() => end(`took longer than ${run.timeoutMs} ms`), run.timeoutMs);
  const stop = () => end("was stopped");
  run.signal?.addEventListener("abort", stop, { once: true });
  if (run.signal?.aborted === true) stop();
  const bound = run.maxOutputBytes ?? 64 * 1024 * 1024;
  const stdout = collect(child.stdout, bound, () => end(`printed more than ${bound} bytes`));
  const stderr = collect(child.stderr, 65_536);
  const closed = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve(code === 0 ? "" : `ended with ${signal ?? code}`),
    );
  });
  try {
    const feeding = feed(child, run.input ?? "", end);
    // A child that ends early must not wait for input that may never come.
    const how = await Promise.race([closed, feeding.then(() => closed)]).catch(async (error) => {
      await closed;
      throw error;
    });
    const output = { stdout: stdout(), stderr: stderr() };
    if (ended !== "" || how !== "") throw new GitError(run.args[0] ?? "", ended || how, output);
    return output;
  } finally {
    clearTimeout(timer);
    run.signal?.removeEventListener("abort", stop);
  }
}

async function feed(
  child: GitChild,
  input: AsyncIterable<Uint8Array> | string,
  end: (how: string) => void,
): Promise<void> {
  if (typeof input === "string") {
    child.stdin.end(input);
    return;
  }
  try {
    for await (const chunk of input) await write(child.stdin, chunk);
    child.stdin.end();
  } catch (error) {
    end("lost its input");
    throw error;
  }
}

function collect(stream: Readable, maxBytes: number, overflow?: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else overflow?.();
  });
  return () => Buffer.concat(chunks).toString();
}
