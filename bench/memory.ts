import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { TestHub } from "../test/kit/hub/hub.ts";
import { waitFor } from "../test/kit/wait.ts";

/** Megabytes that the hub holds, with the garbage that it has not collected. */
export async function memoryOf({ pid }: Pick<TestHub, "pid">): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

/** What a hub needs in its environment to be told to collect its garbage. */
export const COLLECTABLE = { NODE_OPTIONS: "--inspect-port=127.0.0.1:0" };

/** Megabytes that the hub holds when it has just collected its garbage: what was only on its way is not counted. */
export async function collectedMemoryOf(hub: TestHub): Promise<number> {
  // It is said once.
  process.kill(hub.pid, "SIGUSR1");
  const url = await waitFor(() => /ws:\/\/127\.0\.0\.1:\d+\/\S+/.exec(hub.output())?.[0], {
    what: "the hub's inspector",
  });
  const socket = new WebSocket(url);
  await once(socket, "open");
  // Twice: what has a finalizer goes in the second one.
  for (const id of [1, 2]) {
    const done = once(socket, "message");
    socket.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
    await done;
  }
  socket.close();
  return await memoryOf(hub);
}
