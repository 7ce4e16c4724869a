import { randomInt } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Runtime, RuntimeAbilities, RuntimeHost } from "../../../src/runtimes/runtime.ts";
import { createRuntime } from "../../../src/runtimes/registry.ts";
import { openEngineProxy } from "./engine-proxy.ts";
import type { TestEngine } from "./engine.ts";
import { startRemoteRuntime } from "./remote-runtime.ts";
import type { RemoteRuntime } from "./remote-runtime.ts";
import { createRuntimePlace } from "./runtime-place.ts";
import type { RuntimePlace } from "./runtime-place.ts";
import { waitFor } from "../wait.ts";

export interface Adapter {
  name: Runtime["name"];
  /** Where the containers are, for the runtime `docker`. */
  engine?: TestEngine;
  /** The hub reaches the engine through the proxy. */
  proxied?: boolean;
  /** Whom the hub runs as; undefined is whoever runs the test. */
  uid?: number;
  abilities: RuntimeAbilities;
  /** What its last words hold when memory ran out; Podman does not know on control groups of version 1. */
  wordsOfMemory?: string;
  /** Other programs than the usual ones. */
  host?: Partial<RuntimeHost>;
}

export interface OpenRuntime extends AsyncDisposable {
  place: RuntimePlace;
  runtime: Runtime;
  /** One more hub on the same directories. */
  hub(): Promise<RemoteRuntime>;
}

/** A runtime in a place of its own; what it made is removed at the end. */
export async function openRuntime(adapter: Adapter): Promise<OpenRuntime> {
  const { name, uid, engine, host, proxied = false } = adapter;
  const place = await createRuntimePlace({ uid, engine, host });
  const proxy =
    proxied && engine !== undefined ? await openEngineProxy(engine, place.host) : undefined;
  if (proxy !== undefined)
    place.host.containers = { ...place.host.containers, engine: `unix://${proxy.socketPath}` };
  const hub = () => startRemoteRuntime({ runtime: name, host: place.host }, uid);
  const remote = uid === undefined ? undefined : await hub();
  const runtime = remote?.runtime ?? (await createRuntime(name, place.host));
  place.clean(runtime);
  return {
    place,
    runtime,
    hub,
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      await remote?.[Symbol.asyncDispose]();
      await proxy?.[Symbol.asyncDispose]();
    },
  };
}

/** Has the runner end itself, and waits until the runtime has seen it. */
export async function endRunner(
  place: RuntimePlace,
  runtime: Runtime,
  name: string,
): Promise<void> {
  await place.ask(
    name,
    `const { existsSync } = await import("node:fs");
     const answer = new URL(import.meta.url.replace(/ask-(\\d+)\\.mjs$/, "answer-$1.json"));
     // Not before it has answered.
     setInterval(() => {
       if (!existsSync(answer)) return;
       console.log("goodbye");
       process.exit(3);
     }, 5);`,
  );
  await waitFor(async () => (await runtime.inspect(name)) === "exited");
}

/** A process that would stay for a day; answers a text that only its command line holds. */
export async function startSleep(
  place: RuntimePlace,
  name: string,
  env: string,
  detached = true,
): Promise<string> {
  const seconds = `86400.${randomInt(1e9, 1e10)}`;
  await place.ask(
    name,
    `const { spawn } = await import("node:child_process");
     const command = ${detached} ? ["setsid", "-f", "sleep", "${seconds}"] : ["sleep", "${seconds}"];
     spawn(command[0], command.slice(1), { stdio: "ignore", env: ${env} });`,
  );
  await waitFor(() => processesWith(seconds).length > 0);
  return seconds;
}

/** The machine's processes whose command line holds that text. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
