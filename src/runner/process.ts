import { spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { createLineSplitter } from "./lines.ts";
import type { Line } from "./lines.ts";

export interface Exit {
  exitCode: number | null;
  signal: string | null;
}

/** Of a program that may have ended: then it does nothing. */
export interface ProgramInput {
  write(text: string): void;
  end(): void;
}

export interface Program {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  stdin: string;
  /** Takes over standard input, which otherwise is closed behind that. */
  onInput?: (input: ProgramInput) => void;
  /** Of one line; what is longer is cut. */
  maxLineBytes: number;
  onOutput(line: Line): void;
  onError(line: Line): void;
  onStart(pid: number): void;
  /** Ends the program: first asked, then forced. */
  signal: AbortSignal;
}

const GRACE_MS = 5_000;
/** After the end, output is read until none has come for so long: a process left behind may hold it open. */
const QUIET_MS = 50;
const TAIL_MS = 1_000;

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
  let chunks = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    chunks += 1;
    output.write(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    chunks += 1;
    errors.write(chunk);
  });
  // A program that reads nothing of it may end before all is written.
  child.stdin.on("error", () => undefined);

  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const { pid } = child;
  if (pid !== undefined) program.onStart(pid);
  giveInput(child.stdin, program);

  let forcing: NodeJS.Timeout | undefined;
  const stop = () => {
    killGroup(pid, "SIGTERM");
    forcing = setTimeout(() => killGroup(pid, "SIGKILL"), GRACE_MS);
  };
  if (program.signal.aborted) stop();
  program.signal.addEventListener("abort", stop, { once: true });
  try {
    const exit = await exited;
    await readTail(closed, () => chunks);
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

function giveInput(stdin: Writable, { stdin: text, onInput }: Program): void {
  if (onInput === undefined) {
    stdin.end(text);
    return;
  }
  stdin.write(text);
  onInput({
    write(more) {
      if (stdin.writable) stdin.write(more);
    },
    end: () => void stdin.end(),
  });
}

/**
 * Time alone would not do: on a busy machine it may pass before what stands in the pipe has been read, and with it
 * the agent's last line, its result. So the event loop must have had a turn in which nothing came.
 */
async function readTail(closed: Promise<void>, chunks: () => number): Promise<void> {
  const ending = closed.then(() => "closed" as const);
  const end = performance.now() + TAIL_MS;
  for (let before = -1; before !== chunks() && performance.now() < end;) {
    before = chunks();
    if ((await Promise.race([ending, pause(QUIET_MS)])) === "closed") return;
    await nextTurn();
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
