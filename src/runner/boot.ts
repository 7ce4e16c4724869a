import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RunnerBoot } from "../core/job.ts";

/** A hub that was killed while it started the sandbox sends nothing more. */
const PATIENCE_MS = 60_000;

/** The first line of standard input; it holds the one secret of the sandbox, which goes nowhere else. */
export async function bootFrom(
  input: NodeJS.ReadableStream,
  patienceMs = PATIENCE_MS,
): Promise<RunnerBoot> {
  const lines = createInterface({ input });
  const timer = setTimeout(() => lines.close(), patienceMs);
  try {
    for await (const line of lines) {
      lines.close();
      return RunnerBoot.parse(JSON.parse(line));
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error("there was nothing on standard input");
}

/** False: another runner has had this sandbox. The lock is never given back, so a sandbox is used once. */
export async function takeLock(spoolDir: string): Promise<boolean> {
  try {
    await writeFile(join(spoolDir, "runner.lock"), `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
