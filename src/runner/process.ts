import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { createLineSplitter } from "./lines.ts";
import type { Line } from "./lines.ts";

export interface Exit {
  exitCode: number | null;
  signal: string | null;
}

export interface Program {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  stdin: string;
  /** Of one line; what is longer is cut. */
  maxLineBytes: number;
  onOutput(line: Line): void;
  onError(line: Line): void;
  onStart(pid: number): void;
  /** Ends the program: first asked, then forced. */
  signal: AbortSignal;
}

const GRACE_MS = 5_000;
/** How long output may go on after the end, when a process left behind holds it open. */
const TAIL_MS = 500;

/** Runs a program in a process group of its own, and ends what is left of the group afterwards. */
export async function runProgram(program: Program): Promise<Exit> {
  const [command = "", ...args] = program.argv;
  const child = spawn(command, args, {
    cwd: program.cwd,
    env: program.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = createLineSplitter(program.maxLineBytes, program.onOutput);
  const errors = createLineSplitter(program.maxLineBytes, program.onError);
  child.stdout.on("data", (chunk: Buffer) => output.write(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.write(chunk));
  // A program that reads nothing of it may end before all is written.
  child.stdin.on("error", () => undefined);

  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const { pid } = child;
  if (pid !== undefined) program.onStart(pid);
  child.stdin.end(program.stdin);

  let forcing: NodeJS.Timeout | undefined;
  const stop = () => {
    killGroup(pid, "SIGTERM");
    forcing = setTimeout(() => killGroup(pid, "SIGKILL"), GRACE_MS);
  };
  if (program.signal.aborted) stop();
  program.signal.addEventListener("abort", stop, { once: true });
  try {
    const exit = await exited;
    await Promise.race([closed, pause(TAIL_MS)]);
    return exit;
  } finally {
    clearTimeout(forcing);
    program.signal.removeEventListener("abort", stop);
    killGroup(pid, "SIGKILL");
    child.stdout.destroy();
    child.stderr.destroy();
    output.end();
    errors.end();
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nobody is left: what was wanted.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
