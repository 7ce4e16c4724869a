import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import Dockerode from "dockerode";
import { z } from "zod";
import { OWNER } from "../../../src/runtimes/docker/labels.ts";
import { DAEMONS } from "./daemon.ts";
import type { Daemon } from "./daemon.ts";
import { isRunning } from "../process.ts";
import { SESSION_IMAGE, sessionImage } from "./session-image.ts";
import { waitFor } from "../wait.ts";

const START_MS = 60_000;

type Kind = keyof typeof DAEMONS;

/** A container engine of the tests' own: what it keeps is in one directory, and it has no network. */
export interface TestEngine {
  /** As `DOCKER_HOST` has it. */
  address: string;
  image: string;
  client: Dockerode;
  /** What a sandbox keeps, as the machine sees it. */
  dirOf(name: string): string;
  /** A volume as the hub would make it. */
  makeVolume(name: string, owner: string): Promise<void>;
  /** Containers and volumes of one hub, or of all. */
  removeAllOf(owner?: string): Promise<void>;
  /** Ends the engine; Docker's containers end with it, or when it is started again. */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  start(): Promise<void>;
}

/** The engine of the run, or why there is none, in the engine's own words where it has any. */
export async function findEngine(
  dir: string,
  kind: Kind = "docker",
): Promise<{ engines: TestEngine[]; reason: string | null }> {
  if (process.getuid?.() !== 0) return { engines: [], reason: `${kind} must be started by root` };
  const engine = engineIn(join(dir, kind), kind);
  if (engine === null) return { engines: [], reason: `${kind} is not installed` };
  try {
    await share(join(dir, kind), engine);
    return { engines: [engine], reason: null };
  } catch (error) {
    return { engines: [], reason: messageOf(error) };
  }
}

/** An engine that nobody shares, for tests that end it. */
export async function startEngine(dir: string): Promise<TestEngine & AsyncDisposable> {
  const engine = engineIn(dir, "docker");
  if (engine === null) throw new Error("dockerd is not installed");
  await engine.start();
  await sessionImage(engine.client);
  return { ...engine, [Symbol.asyncDispose]: () => stopEngine(dir, "docker") };
}

/** Ends the engines that were started in the directory of a run. */
export async function stopEngines(dir: string): Promise<void> {
  for (const kind of ["docker", "podman"] as const) await stopEngine(join(dir, kind), kind);
}

/** Ends the engine of a directory, if there is one, and deletes what it kept. */
async function stopEngine(dir: string, kind: Kind): Promise<void> {
  if (!existsSync(dir)) return;
  const engine = engineIn(dir, kind);
  if (existsSync(join(dir, "engine.pid"))) await engine?.removeAllOf();
  await engine?.stop("SIGTERM");
  for (const mount of mountsBelow(dir)) await promisify(execFile)("umount", ["-l", mount]);
  await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** Has it started by whoever comes first, in whichever process. */
async function share(dir: string, engine: TestEngine): Promise<void> {
  const [ready, failed] = [join(dir, "ready"), join(dir, "failed")];
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const isFirst = await mkdir(join(dir, "claimed")).then(
    () => true,
    () => false,
  );
  if (isFirst)
    try {
      await engine.start();
      await sessionImage(engine.client);
      await writeFile(ready, "");
    } catch (error) {
      await writeFile(failed, messageOf(error));
    }
  await waitFor(() => existsSync(ready) || existsSync(failed), {
    timeoutMs: 2 * START_MS,
    what: "the container engine of the tests",
  });
  if (existsSync(failed)) throw new Error(await readFile(failed, "utf8"));
}

function engineIn(dir: string, kind: Kind): TestEngine | null {
  const socketPath = join(dir, "engine.sock");
  const pidFile = join(dir, "engine.pid");
  const client = new Dockerode({ socketPath, host: "", protocol: "http" });
  const daemon = DAEMONS[kind](dir, socketPath);
  if (daemon === null) return null;

  return {
    address: `unix://${socketPath}`,
    image: SESSION_IMAGE,
    client,
    dirOf: (name) => join(daemon.dataDir, "volumes", name, "_data"),
    async makeVolume(name, owner) {
      await client.createVolume({ Name: name, Labels: { [OWNER]: owner } });
    },
    async removeAllOf(owner) {
      const filters = owner === undefined ? {} : { label: [`${OWNER}=${owner}`] };
      for (const { Id } of await client.listContainers({ all: true, filters }))
        await client.getContainer(Id).remove({ force: true, v: true }).catch(unlessGoing);
      await waitFor(
        async () => (await client.listContainers({ all: true, filters })).length === 0,
        { timeoutMs: START_MS, what: "containers to be gone" },
      );
      for (const { Name } of (await client.listVolumes({ filters })).Volumes)
        await client.getVolume(Name).remove();
    },
    async stop(signal) {
      const pids = [pidFile, ...daemon.pidFiles].map(pidIn);
      for (const [index, pid] of pids.entries()) {
        // The first is the engine, which ends the others unless it is killed.
        if (isLiving(pid)) process.kill(pid, index === 0 ? signal : "SIGTERM");
        await waitFor(() => !isLiving(pid), { timeoutMs: START_MS, what: "the engine to end" });
      }
      // Where nobody reaps what was killed, its number looks alive, and the next engine would wait for it.
      for (const path of [pidFile, ...daemon.pidFiles]) await rm(path, { force: true });
    },
    start: () => launch(dir, daemon, pidFile, client),
  };
}

/** What a hub was just removing is gone, or about to be. */
function unlessGoing(error: unknown): void {
  const { success } = z
    .object({ statusCode: z.union([z.literal(404), z.literal(409)]) })
    .safeParse(error);
  if (!success) throw error;
}

async function launch(
  dir: string,
  daemon: Daemon,
  pidFile: string,
  client: Dockerode,
): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await daemon.prepare();
  const path = join(dir, "engine.log");
  await using log = await open(path, "a");
  const [program = "", ...args] = daemon.argv;
  const child = spawn(program, args, {
    // Podman's monitor leaves a file where it runs when a container had too little memory.
    cwd: dir,
    env: daemon.env,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  child.unref();
  await writeFile(pidFile, String(child.pid));
  const answer = await waitFor(
    async () => {
      if (child.exitCode !== null) return "ended";
      await client.ping();
      return "listens";
    },
    { timeoutMs: START_MS, what: "the engine to listen" },
  );
  if (answer === "ended") throw new Error(lastLine(await readFile(path, "utf8")));
}

/** 0: nobody has written one. */
function pidIn(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
}

function isLiving(pid: number): boolean {
  return pid > 1 && isRunning(pid);
}

/** The deepest first. */
function mountsBelow(dir: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${dir}/`))
    .toSorted((one, other) => other.length - one.length);
}

function lastLine(log: string): string {
  return `the engine ended: ${log.trim().split("\n").at(-1) ?? ""}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
