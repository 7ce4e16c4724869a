import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import type { Runtime } from "../../../src/runtimes/runtime.ts";
import type { HubRequest, HubSettings } from "./runtime-messages.ts";
import { HubAnswer, HubValue } from "./runtime-messages.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

export interface RemoteRuntime extends AsyncDisposable {
  runtime: Runtime;
  pid: number;
  /** Ends the hub as a crash does. */
  kill(): Promise<void>;
  /** Gives it nothing more to do; resolves with its exit code, for a hub that nothing keeps ends by itself. */
  leave(): Promise<number | null>;
}

/** A runtime that lives in a process of its own, as user `uid` unless that is undefined (which takes root). */
export async function startRemoteRuntime(
  settings: HubSettings,
  uid?: number,
): Promise<RemoteRuntime> {
  const script = fileURLToPath(new URL("runtime-hub.ts", import.meta.url));
  const program = [process.execPath, script, JSON.stringify(settings)];
  const argv =
    uid === undefined
      ? program
      : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", ...program];
  const [command = "", ...args] = argv;
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/nonexistent" },
  });
  const exited = once(child, "exit");
  await once(child, "spawn");

  const waiting = new Map<number, (line: unknown) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = HubAnswer.parse(JSON.parse(line));
    waiting.get(answer.id)?.(answer);
  });
  child.once("exit", () => {
    for (const [id, tell] of waiting) tell({ id, error: "the hub has ended" });
  });

  let calls = 0;
  async function call<T>(request: WithoutId<HubRequest>, schema: z.ZodType<T>): Promise<T> {
    calls += 1;
    const id = calls;
    const answered = new Promise((resolve) => waiting.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
    const answer = HubAnswer.parse(await answered);
    waiting.delete(id);
    if ("error" in answer) throw new Error(answer.error);
    return schema.parse(answer.value);
  }

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await exited;
  }

  return {
    pid: child.pid ?? 0,
    kill,
    async leave() {
      child.stdin.end();
      await exited;
      return child.exitCode;
    },
    [Symbol.asyncDispose]: kill,
    runtime: {
      name: settings.runtime,
      check: () => call({ method: "check" }, HubValue.check),
      ensure: (spec) => call({ method: "ensure", spec }, HubValue.ensure),
      inspect: (name) => call({ method: "inspect", name }, HubValue.inspect),
      list: () => call({ method: "list" }, HubValue.list),
      lastWords: (name) => call({ method: "lastWords", name }, HubValue.lastWords),
      stop: async (name) => void (await call({ method: "stop", name }, HubValue.nothing)),
      remove: async (name) => void (await call({ method: "remove", name }, HubValue.nothing)),
    },
  };
}
