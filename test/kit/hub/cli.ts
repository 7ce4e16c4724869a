import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { waitFor } from "../wait.ts";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");

export interface CliOptions {
  /** Variables beside PATH; nothing else is in the environment. */
  env: Record<string, string>;
  cwd: string;
  /** What is written to its standard input, which ends then. */
  input?: string;
}

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command line in a process of its own, with pipes around it. */
export interface RunningCli extends AsyncDisposable {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Waits until something of this kind was printed. */
  shows(pattern: RegExp): Promise<void>;
  interrupt(): void;
  /** Closes its standard output once so many bytes of it have come. */
  stopReading(afterBytes: number): void;
  ended(): Promise<CliResult>;
}

export function openCli(args: string[], options: CliOptions): RunningCli {
  return watch(spawn(process.execPath, [MAIN, ...args], spawnOptions(options)), options.input);
}

export async function runCli(args: string[], options: CliOptions): Promise<CliResult> {
  await using cli = openCli(args, options);
  return await cli.ended();
}

/**
 * The same in a pseudo-terminal that util-linux's `script` makes, which has everything of it on its standard output.
 * What is typed goes to its standard input.
 */
export function openTerminal(
  args: string[],
  options: CliOptions,
): RunningCli & { type(text: string): void } {
  const command = [process.execPath, MAIN, ...args].map(quoted).join(" ");
  const child = spawn("script", ["-qefc", `stty cols 120 rows 40; exec ${command}`, "/dev/null"], {
    ...spawnOptions(options),
    env: { ...spawnOptions(options).env, TERM: "xterm", SHELL: "/bin/sh" },
  });
  return { ...watch(child, undefined), type: (text) => void child.stdin?.write(text) };
}

function spawnOptions({ env, cwd }: CliOptions) {
  return {
    cwd,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C.UTF-8", ...env },
    stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"],
  };
}

function watch(child: ChildProcess, input: string | undefined): RunningCli {
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // It may have ended before it has read all.
  child.stdin?.on("error", () => undefined);
  if (input !== undefined) child.stdin?.end(input);
  const closed = once(child, "close");
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    async shows(pattern) {
      await waitFor(() => pattern.test(stdout + stderr) || child.exitCode !== null, {
        timeoutMs: 30_000,
        what: `${pattern} to be shown; there was:\n${stdout}${stderr}`,
      });
      if (!pattern.test(stdout + stderr))
        throw new Error(`it ended without ${pattern}:\n${stdout}${stderr}`);
    },
    interrupt: () => void child.kill("SIGINT"),
    stopReading(afterBytes) {
      child.stdout?.on("data", () => {
        if (stdout.length >= afterBytes) child.stdout?.destroy();
      });
    },
    async ended() {
      await closed;
      return { code: child.exitCode, stdout, stderr };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      child.stdin?.destroy();
      await closed;
    },
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
