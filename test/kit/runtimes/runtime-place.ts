import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { newId, sandboxName } from "../../../src/core/id.ts";
import { ownerOfHub } from "../../../src/runtimes/docker/labels.ts";
import type { Runtime, RuntimeHost, SandboxSpec } from "../../../src/runtimes/runtime.ts";
import { testContainers } from "./containers.ts";
import type { TestEngine } from "./engine.ts";
import { createTempDir } from "../temp-dir.ts";
import { waitFor } from "../wait.ts";

/** What a hub gives its runtimes, in a directory of its own, with the fake runner for a runner. */
export interface RuntimePlace extends AsyncDisposable {
  host: RuntimeHost;
  spec(limits?: Partial<SandboxSpec["limits"]>): SandboxSpec;
  /** Directory of a sandbox on the machine. */
  dirOf(name: string): string;
  /** Makes a sandbox's workspace before there is a sandbox; answers the directory. */
  makeWorkspace(name: string): Promise<string>;
  /** Size of all that is kept of what its runner printed. */
  logBytes(name: string): Promise<number>;
  /** Has the fake runner run the body of an async function `(boot) => …`; answers what it returns. */
  ask(name: string, body: string): Promise<unknown>;
  /** Process ids of the runners that took the lock. */
  starts(name: string): Promise<string[]>;
  /** Runtimes whose sandboxes are to be removed at the end. */
  clean(runtime: Runtime): void;
}

const LogFacts = z.object({ LogPath: z.string() });
const Reply = z.union([z.object({ error: z.string() }), z.object({ value: z.json() })]);

/** `uid` owns it all; undefined is whoever runs the test. With an engine, sandboxes are its containers. */
export async function createRuntimePlace({
  uid,
  engine,
  host: programs = {},
}: {
  uid?: number | undefined;
  engine?: TestEngine | undefined;
  host?: Partial<RuntimeHost> | undefined;
}): Promise<RuntimePlace> {
  const temp = await createTempDir("rt");
  const host: RuntimeHost = {
    sandboxesDir: join(temp.path, "hub", "sandboxes"),
    gatewayDir: join(temp.path, "hub", "gateway"),
    gatewaySocketName: "hub.sock",
    runnerPath: fileURLToPath(new URL("fake-runner.mjs", import.meta.url)),
    nodePath: process.execPath,
    agentPaths: [],
    containers: testContainers(
      engine === undefined ? {} : { engine: engine.address, image: engine.image },
    ),
    ...programs,
  };
  await mkdir(join(temp.path, "hub"), { mode: 0o700 });
  await mkdir(host.sandboxesDir, { mode: 0o700 });
  await mkdir(host.gatewayDir, { mode: 0o755 });
  if (uid !== undefined) {
    await chmod(temp.path, 0o755);
    for (const path of [join(temp.path, "hub"), host.sandboxesDir, host.gatewayDir])
      await chown(path, uid, uid);
  }

  const dirOf = (name: string) => engine?.dirOf(name) ?? join(host.sandboxesDir, name);
  const runtimes = new Set<Runtime>();
  let asks = 0;

  return {
    host,
    dirOf,
    async makeWorkspace(name) {
      await engine?.makeVolume(name, ownerOfHub(host.containers.hubId));
      const dir = join(dirOf(name), "workspace");
      await mkdir(dir, { recursive: true });
      if (uid !== undefined) for (const path of [dirOf(name), dir]) await chown(path, uid, uid);
      return dir;
    },
    async logBytes(name) {
      if (engine === undefined) return (await stat(join(dirOf(name), "runner.log"))).size;
      const { LogPath } = LogFacts.parse(await engine.client.getContainer(name).inspect());
      const files = (await readdir(dirname(LogPath))).filter((file) => file.includes(".log"));
      const sizes = files.map(async (file) => (await stat(join(dirname(LogPath), file))).size);
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    },
    spec(limits = {}) {
      const sessionId = newId();
      return {
        name: sandboxName(sessionId),
        sessionId,
        token: randomBytes(32).toString("base64url"),
        limits: { memoryBytes: 536_870_912, processes: 200, ...limits },
      };
    },
    async ask(name, body) {
      asks += 1;
      const workspace = join(dirOf(name), "workspace");
      const ask = join(workspace, `ask-${asks}.mjs`);
      const answer = join(workspace, `answer-${asks}.json`);
      await writeFile(`${ask}.part`, `export default async (boot) => {\n${body}\n};\n`);
      await chmod(`${ask}.part`, 0o644);
      await rename(`${ask}.part`, ask);
      const text = await waitFor(() => readFile(answer, "utf8"), { what: `an answer to: ${body}` });
      const reply = Reply.parse(JSON.parse(text));
      if ("error" in reply) throw new Error(reply.error);
      return reply.value;
    },
    async starts(name) {
      const path = join(dirOf(name), "spool", "started");
      const text = await waitFor(() => readFile(path, "utf8"), { what: "a runner at work" });
      return text.trim().split("\n");
    },
    clean(runtime) {
      runtimes.add(runtime);
    },
    async [Symbol.asyncDispose]() {
      for (const runtime of runtimes)
        for (const { name } of await runtime.list()) await runtime.remove(name);
      await temp[Symbol.asyncDispose]();
    },
  };
}
