import { RUNNER_EXIT } from "../core/job.ts";
import type { RunnerBoot } from "../core/job.ts";
import { bootFrom, takeLock } from "./boot.ts";
import { runSession } from "./session.ts";

const boot = await begin();
try {
  await runSession(boot, process.env["PATH"] ?? "/usr/bin:/bin");
  process.exit(0);
} catch (error) {
  // Kept by the runtime, and shown when there is no result.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/** Up to the lock; how the runner ends before tells whether it may be started again. */
async function begin(): Promise<RunnerBoot> {
  let isFirst: boolean;
  let found: RunnerBoot;
  try {
    found = await bootFrom(process.stdin);
    isFirst = await takeLock(found.spoolDir);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(RUNNER_EXIT.notBegun);
  }
  if (!isFirst) process.exit(RUNNER_EXIT.locked);
  return found;
}
