import { readdir, readFile } from "node:fs/promises";
import { createControlGroups } from "../../src/runtimes/control-groups.ts";
import { ownerOf } from "../../src/runtimes/owner.ts";
import { MARKERS } from "../../src/runtimes/process-table.ts";
import { isRunning } from "./process.ts";
import { waitFor } from "./wait.ts";

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

/** Ends what a killed hub left behind. */
export async function endSandboxes(sandboxesDir: string): Promise<void> {
  await waitFor(
    async () => {
      const pids = await sandboxProcesses(sandboxesDir);
      for (const pid of pids) process.kill(pid, "SIGKILL");
      return pids.length === 0;
    },
    { timeoutMs: 10_000, what: "the end of all sandboxes" },
  );
  const groups = createControlGroups(await ownerOf(sandboxesDir));
  for (const name of await readdir(sandboxesDir)) await groups.remove(name);
}
