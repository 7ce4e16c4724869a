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

/**
 * Kills what a sandbox runs, again and again, until nothing has been left for several looks. What is killed has to be gone
 * as well: the first process of a namespace shows nothing any more while those that live there with it still end.
 */
export async function endProcesses(
  name: string,
  table: Pick<ProcessTable, "family" | "startOf">,
  groups: Pick<ControlGroups, "forbidForks" | "members">,
): Promise<void> {
  await groups.forbidForks(name);
  const end = performance.now() + TIMEOUT_MS;
  const killed = new Map<number, string>();
  for (let quiet = 0; quiet < LOOKS;) {
    const left = new Set([...(await table.family(name)), ...(await groups.members(name))]);
    for (const [pid, start] of killed) if (table.startOf(pid) === start) left.add(pid);
    quiet = left.size === 0 ? quiet + 1 : 0;
    if (left.size > 0 && performance.now() > end)
      throw new Error(`processes of sandbox ${name} do not end: ${[...left].join(", ")}`);
    for (const pid of left) {
      const start = table.startOf(pid);
      if (start !== null) killed.set(pid, start);
      kill(pid);
    }
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
