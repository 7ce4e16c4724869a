import { setTimeout as pause } from "node:timers/promises";
import type { ControlGroups } from "./control-groups.ts";
import type { ProcessTable } from "./process-table.ts";

/**
 * How often to look before a process counts as gone: one that is just being replaced by another (exec) shows no
 * environment for some microseconds.
 */
export const LOOKS = 3;
export const LOOK_PAUSE_MS = 2;
const TIMEOUT_MS = 20_000;

/** Kills what a sandbox runs, again and again, until nothing has been left for several looks. */
export async function endProcesses(
  name: string,
  table: ProcessTable,
  groups: ControlGroups,
): Promise<void> {
  await groups.forbidForks(name);
  const end = performance.now() + TIMEOUT_MS;
  for (let quiet = 0; quiet < LOOKS;) {
    const left = new Set([...(await table.family(name)), ...(await groups.members(name))]);
    quiet = left.size === 0 ? quiet + 1 : 0;
    if (left.size > 0 && performance.now() > end)
      throw new Error(`processes of sandbox ${name} do not end: ${[...left].join(", ")}`);
    for (const pid of left) kill(pid);
    if (quiet < LOOKS) await pause(LOOK_PAUSE_MS);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // Gone already. Others' processes are never in the table, so nothing else is expected.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
