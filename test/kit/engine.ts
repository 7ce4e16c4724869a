import { execFile, spawn } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import Dockerode from "dockerode";
import { OWNER } from "../../src/runtimes/docker/labels.ts";
import { isRunning } from "./process.ts";
import { SESSION_IMAGE, sessionImage } from "./session-image.ts";
import { waitFor } from "./wait.ts";

const DAEMON = "dockerd";
const START_MS = 60_000;

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
  /** Containers and volumes of one hub. */
  removeAllOf(owner: string): Promise<void>;
  pid(): number;
  /** Ends the engine; its containers end with it, or when it is started again. */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  start(): Promise<void>;
}

/** The engine of the run, or why there is none, in the engine's own words where it has any. */
export async function findEngine(
  dir: string,
): Promise<{ engines: TestEngine[]; reason: string | null }> {
  if (process.getuid?.() !== 0)
    return { engines: [], reason: "dockerd wants to be started by root" };
  if (findDaemon() === null) return { engines: [], reason: "dockerd is not installed" };
  try {
    return { engines: [await sharedEngine(dir)], reason: null };
  } catch (error) {
    return { engines: [], reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The one engine of a test run, started by whoever needs it first; `dir` is the same for all. */
async function sharedEngine(dir: string): Promise<TestEngine> {
  const engine = engineIn(dir);
  const [ready, failed] = [join(dir, "ready"), join(dir, "failed")];
  if (await claim(join(dir, "claimed"))) {
    try {
      await engine.start();
      await sessionImage(engine.client);
      await writeFile(ready, "");
    } catch (error) {
      await writeFile(failed, error instanceof Error ? error.message : String(error));
    }
  }
  await waitFor(() => existsSync(ready) || existsSync(failed), {
    timeoutMs: 2 * START_MS,
    what: "the container engine of the tests",
  });
  if (existsSync(failed)) throw new Error(await readFile(failed, "utf8"));
  return engine;
}

/** For tests that end their engine. */
export async function startEngine(dir: string): Promise<TestEngine & AsyncDisposable> {
  const engine = engineIn(dir);
  await engine.start();
  await sessionImage(engine.client);
  return { ...engine, [Symbol.asyncDispose]: () => stopEngine(dir) };
}

/** Ends the engine of a directory, if there is one, and deletes what it kept. */
export async function stopEngine(dir: string): Promise<void> {
  await engineIn(dir).stop("SIGTERM");
  for (const mount of mountsBelow(dir)) await promisify(execFile)("umount", ["-l", mount]);
  await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

function engineIn(dir: string): TestEngine {
  const socketPath = join(dir, "engine.sock");
  const pidFile = join(dir, "engine.pid");
  const dataDir = join(dir, "data");
  const client = new Dockerode({ socketPath, host: "", protocol: "http" });
  const pid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0);

  return {
    address: `unix://${socketPath}`,
    image: SESSION_IMAGE,
    client,
    pid,
    dirOf: (name) => join(dataDir, "volumes", name, "_data"),
    async makeVolume(name, owner) {
      await client.createVolume({ Name: name, Labels: { [OWNER]: owner } });
    },
    async removeAllOf(owner) {
      const filters = { label: [`${OWNER}=${owner}`] };
      for (const { Id } of await client.listContainers({ all: true, filters }))
        await client.getContainer(Id).remove({ force: true, v: true });
      for (const { Name } of (await client.listVolumes({ filters })).Volumes)
        await client.getVolume(Name).remove();
    },
    async stop(signal) {
      const running = pid();
      if (running === 0) return;
      // It has one of its own, which outlives it when it is killed and would be in the way of the next.
      const containerdPidFile = join(dir, "exec", "containerd", "containerd.pid");
      const containerd = pidIn(containerdPidFile);
      if (isRunning(running)) process.kill(running, signal);
      await waitFor(() => !isRunning(running), { timeoutMs: START_MS, what: "dockerd to end" });
      if (containerd !== 0 && isRunning(containerd)) {
        process.kill(containerd, "SIGTERM");
        await waitFor(() => !isRunning(containerd), { what: "containerd to end" });
      }
      // Where nobody reaps what was killed, its number looks alive, and the next engine would wait for it.
      for (const path of [pidFile, containerdPidFile]) await rm(path, { force: true });
    },
    async start() {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const path = join(dir, "engine.log");
      await using log = await open(path, "a");
      const args = [
        ["--data-root", dataDir, "--exec-root", join(dir, "exec"), "--pidfile", pidFile],
        ["-H", `unix://${socketPath}`, "--bridge=none", "--iptables=false"],
      ].flat();
      const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
      const child = spawn(findDaemon() ?? DAEMON, args, {
        env,
        detached: true,
        stdio: ["ignore", log.fd, log.fd],
      });
      child.unref();
      const answer = await waitFor(
        async () => {
          if (child.exitCode !== null) return "ended";
          return (await client.ping()) ? "listens" : undefined;
        },
        { timeoutMs: START_MS, what: "dockerd to listen" },
      );
      if (answer === "ended") throw new Error(lastWordsOf(await readFile(path, "utf8")));
    },
  };
}

async function claim(path: string): Promise<boolean> {
  await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
  return await mkdir(path).then(
    () => true,
    () => false,
  );
}

function pidIn(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
}

function findDaemon(): string | null {
  const dirs = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];
  const paths = dirs.map((dir) => join(dir, DAEMON));
  return paths.find((path) => isExecutable(path)) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The deepest first. */
function mountsBelow(dir: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${dir}/`))
    .toSorted((one, other) => other.length - one.length);
}

function lastWordsOf(log: string): string {
  return `dockerd ended: ${log.trim().split("\n").at(-1) ?? ""}`;
}
