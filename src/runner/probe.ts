import { execFile } from "node:child_process";
import { access, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { NetConnectOpts } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { NAMESPACES } from "../core/probe.ts";
import type { ProbeOrder, ProbeReport } from "../core/probe.ts";
import type { RunnerBoot } from "../core/job.ts";

const CONNECT_MS = 3_000;
const VERSION_MS = 15_000;
const FILE_CHARS = 65_536;
const TEXT_CHARS = 1_000_000;
const SYSTEM = ["/", "/usr", "/usr/bin", "/etc", "/root", "/opt", "/var"];
const ENGINE_SOCKETS = [
  "/var/run/docker.sock",
  "/run/docker.sock",
  "/run/podman/podman.sock",
  "/run/containerd/containerd.sock",
  "/run/crio/crio.sock",
];

/** Looks at the sandbox from inside, as an agent could. */
export async function lookAround(
  { probe }: ProbeOrder,
  boot: RunnerBoot,
  searchPath: string,
): Promise<ProbeReport> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const env = { PATH: searchPath, HOME: boot.homeDir, LANG: "C.UTF-8" };
  return {
    node: process.version,
    uid: process.getuid?.() ?? -1,
    status: await textOf("/proc/self/status"),
    mounts: await textOf("/proc/self/mountinfo"),
    secretsWouldBeIn: await visibleTexts(pids, boot),
    namespaces: await namespaces(),
    writable: await whichCanBeWritten(),
    engineSockets: await whichAreThere(ENGINE_SOCKETS),
    interfaces: Object.keys(networkInterfaces()),
    reached: [
      ...(await Promise.all(
        probe.reach.map(async (place) => ({
          place: `${place.host}:${place.port}`,
          outcome: await tryConnect(place),
        })),
      )),
      {
        place: "an abstract socket of the machine",
        outcome: await tryConnect({ path: `\0${probe.abstractSocket}` }),
      },
    ],
    git: await versionOf("git", env),
    agent: await versionOf(probe.agentExecutable, env),
  };
}

/** What stands for the namespaces that this process is in. Source: namespaces(7). */
export async function namespaces(): Promise<ProbeReport["namespaces"]> {
  const names = await Promise.all(NAMESPACES.map((kind) => readlink(`/proc/self/ns/${kind}`)));
  const [ipc = "", mnt = "", net = "", pid = ""] = names;
  return { ipc, mnt, net, pid };
}

async function visibleTexts(pids: string[], boot: RunnerBoot): Promise<string> {
  const texts = await Promise.all([
    ...pids.flatMap((pid) => [textOf(`/proc/${pid}/environ`), textOf(`/proc/${pid}/cmdline`)]),
    ...[boot.homeDir, boot.workspaceDir, boot.spoolDir, "/etc"].map(filesBelow),
  ]);
  return texts.join("\n").replaceAll("\0", "\n").slice(0, TEXT_CHARS);
}

async function filesBelow(dir: string): Promise<string> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).slice(0, 200);
  return (await Promise.all(files.map(({ name }) => textOf(join(dir, name))))).join("\n");
}

/** What may not be read holds nothing that could be read. */
async function textOf(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.slice(0, FILE_CHARS).toWellFormed();
}

async function whichCanBeWritten(): Promise<string[]> {
  const found: string[] = [];
  for (const dir of SYSTEM) {
    const path = join(dir, `.claude-hub-probe-${process.pid}`);
    const written = await writeFile(path, "", { flag: "wx" }).then(
      () => true,
      () => false,
    );
    if (!written) continue;
    found.push(dir);
    await rm(path, { force: true });
  }
  return found;
}

async function whichAreThere(paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_path, index) => there[index]);
}

function tryConnect(where: NetConnectOpts): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...where, timeout: CONNECT_MS });
    const end = (outcome: string) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => end("connected"));
    socket.once("timeout", () => end("no answer"));
    socket.once("error", (error) => end("code" in error ? String(error.code) : error.message));
  });
}

async function versionOf(program: string, env: Record<string, string>): Promise<string | null> {
  try {
    const options = { env, timeout: VERSION_MS, maxBuffer: 65_536 };
    const { stdout } = await promisify(execFile)(program, ["--version"], options);
    return (stdout.split("\n")[0] ?? "").slice(0, 200).toWellFormed();
  } catch {
    return null;
  }
}
