import type { Job } from "../core/job.ts";
import type { Outbox } from "./outbox.ts";
import { runProgram } from "./process.ts";

const LINE_BYTES = 65_536;
const TOLD_CHARS = 300;

/**
 * Runs the command that tells whether the work is done, where the agent has left it. What it writes is not kept: the work
 * has been collected already.
 *
 * @returns Why the session has failed, or null.
 */
export async function runCheck(options: {
  job: Job;
  dir: string;
  env: Record<string, string>;
  outbox: Outbox;
  signal: AbortSignal;
}): Promise<string | null> {
  const { job, outbox, signal } = options;
  if (job.check === null) return null;
  const command = job.check;
  outbox.add("check.started", { command });
  const startedAt = performance.now();
  let last = "";
  const print = ({ text }: { text: string }) => {
    if (text.trim() !== "") last = text.trim();
    outbox.add("check.printed", { line: text });
  };
  const { exitCode } = await runProgram({
    argv: ["/bin/sh", "-c", command],
    env: options.env,
    cwd: options.dir,
    stdin: "",
    maxLineBytes: LINE_BYTES,
    signal,
    onStart: () => undefined,
    onOutput: print,
    onError: print,
  });
  outbox.add("check.finished", { exitCode, durationMs: Math.round(performance.now() - startedAt) });
  if (signal.aborted) return "The session was ended before its check had";
  if (exitCode === 0) return null;
  const told = last === "" ? "" : `: ${last.slice(0, TOLD_CHARS).toWellFormed()}`;
  return `The check ended with exit code ${exitCode ?? "unknown"}${told}`;
}
