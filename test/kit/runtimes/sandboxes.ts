import { readdir, readFile } from "node:fs/promises";
import { createControlGroups } from "../../../src/runtimes/control-groups.ts";
import { ownerOf } from "../../../src/runtimes/owner.ts";
import { MARKERS } from "../../../src/runtimes/process-table.ts";
import { isRunning } from "../process.ts";
import { waitFor } from "../wait.ts";

/** Process ids of everything that runs in sandboxes below a directory, by the mark in its environment. */
export async function sandboxProcesses(sandboxesDir: string): Promise<number[]> {
  const mark = `${MARKERS.owner}=${await ownerOf(sandboxesDir)}\0`;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const marked = await Promise.all(
    pids.map(async (pid) => {
      // A process that has just ended has no environment any more.
      const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return text.includes(mark) && isRunning(pid) ? pid : null;
    }),
  );
  return marked.filter((pid) => pid !== null);
}

/** Ends what a hub left behind, also what has cast off the mark in its environment. */
export async function endSandboxes(sandboxesDir: string): Promise<void> {
  const groups = createControlGroups(await ownerOf(sandboxesDir));
  const names = await readdir(sandboxesDir);
  await waitFor(
    async () => {
      const members = await Promise.all(names.map((name) => groups.members(name)));
      const marked = await sandboxProcesses(sandboxesDir);
      const pids = new Set([...marked, ...members.flat().filter(isRunning)]);
      for (const pid of pids) end(pid);
      return pids.size === 0;
    },
    { timeoutMs: 10_000, what: "the end of all sandboxes" },
  );
  for (const name of names) await groups.remove(name);
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
