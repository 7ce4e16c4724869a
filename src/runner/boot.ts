import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { RunnerBoot } from "../core/job.ts";

/** The first line of standard input; it holds the one secret of the sandbox, which goes nowhere else. */
export async function bootFrom(input: NodeJS.ReadableStream): Promise<RunnerBoot> {
  const lines = createInterface({ input });
  for await (const line of lines) {
    lines.close();
    return RunnerBoot.parse(JSON.parse(line));
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
