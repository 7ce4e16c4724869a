import { spawn } from "node:child_process";
import {
  chown,
  copyFile,
  open,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Binaries } from "./binaries.ts";
import type { Cluster } from "./cluster.ts";
import { hasCode } from "../failure.ts";

const STOP_MS = 10_000;
const LOG_BYTES = 10 * 1_048_576;
/** Above what any system gives to a process. */
const NO_PID = 2_147_483_647;

const SETTINGS: Record<string, string> = {
  listen_addresses: "",
  max_connections: "100",
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  jit: "off",
  // Waiting for one more commit to share a flush with costs more than it saves on local disks.
  commit_delay: "0",
  log_min_messages: "warning",
  log_min_error_statement: "panic",
};

/** The server's process, if this hub has started it. */
export interface Launched {
  pid: number | undefined;
  /** Aborted when the process has ended, or could not be started. */
  ended: AbortSignal;
}

export async function launch(binaries: Binaries, cluster: Cluster): Promise<Launched> {
  await forgetReusedPid(binaries, cluster);
  const output = await open(cluster.log, "a", 0o600);
  const settings = { ...SETTINGS, unix_socket_directories: cluster.socketDir };
  const [command = "", ...args] = [
    ...binaries.prefix,
    binaries.postgres,
    "-D",
    cluster.data,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  try {
    // In a session of its own: it must outlive a hub that is killed, with its whole process group or without.
    const child = spawn(command, args, {
      cwd: "/",
      env: binaries.env,
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
    });
    const ending = new AbortController();
    for (const event of ["error", "exit"]) child.on(event, () => ending.abort());
    child.unref();
    return { pid: child.pid, ended: ending.signal };
  } finally {
    await output.close();
  }
}

/** The living server's process id, by the file that the server itself keeps. */
export async function serverPid(cluster: Cluster): Promise<number | null> {
  const pid = await recordedPid(cluster);
  return pid !== null && (await isServer(pid, cluster)) ? pid : null;
}

/** Stops the server, in order and then without. */
export async function stop(cluster: Cluster, launched: Launched | null): Promise<void> {
  const living = async () =>
    (await serverPid(cluster)) ??
    // It has only just been started and has not said so yet.
    (launched?.pid === undefined || launched.ended.aborted ? null : launched.pid);
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    const pid = await living();
    if (pid === null) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It has ended since the look.
      if (!hasCode(error, "ESRCH")) throw error;
    }
    for (const end = Date.now() + STOP_MS; Date.now() < end; await pause(10))
      if ((await living()) === null) return;
  }
  throw new Error("the embedded database does not stop");
}

/** Keeps the last of the log when it has grown too long. The server goes on at the end of what is left. */
export async function boundLog({ log }: Cluster): Promise<void> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LOG_BYTES) return;
  await copyFile(log, `${log}.old`);
  await truncate(log);
}

/**
 * After a restart of the machine or the container, the process id in the server's own file may be that of somebody
 * else, and the server would refuse to start. The rest of the file stays: by it the server sees whether processes of
 * its predecessor are still at work.
 */
async function forgetReusedPid(binaries: Binaries, cluster: Cluster): Promise<void> {
  const pid = await recordedPid(cluster);
  if (pid === null || !isAlive(pid) || (await isServer(pid, cluster))) return;
  const path = join(cluster.data, "postmaster.pid");
  const text = await readFile(path, "utf8");
  await writeFile(`${path}.draft`, text.replace(/^\d+/, String(NO_PID)), { mode: 0o600 });
  if (binaries.owner !== null) await chown(`${path}.draft`, binaries.owner.uid, binaries.owner.gid);
  await rename(`${path}.draft`, path);
  await rm(join(cluster.socketDir, ".s.PGSQL.5432.lock"), { force: true });
}

async function recordedPid(cluster: Cluster): Promise<number | null> {
  const text = await readFile(join(cluster.data, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : null;
}

async function isServer(pid: number, cluster: Cluster): Promise<boolean> {
  try {
    const [command, state] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readFile(`/proc/${pid}/stat`, "utf8"),
    ]);
    const zombie = /^[ZX]/.test(state.slice(state.lastIndexOf(")") + 2));
    return command.split("\0").includes(cluster.data) && !zombie;
  } catch {
    // No such process, or a system without /proc: there a signal tells.
    return process.platform !== "linux" && isAlive(pid);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}
