import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  access,
  chown,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import type { Logger } from "pino";
import { findBinaries } from "./embedded-binaries.ts";
import type { Binaries } from "./embedded-binaries.ts";
import { hasCode } from "./failure.ts";

/** A PostgreSQL server of the hub's own. */
export interface EmbeddedDatabase extends AsyncDisposable {
  url: string;
  /** Stops the server; every connection must be closed by then. */
  close(): Promise<void>;
}

const USER = "claude_hub";
const DATABASE = "claude_hub";
/** sockaddr_un holds 104 bytes on macOS; the server adds its file's name. */
const MAX_SOCKET_DIR_BYTES = 85;
const START_MS = 30_000;
const STOP_MS = 10_000;
const LOOK_MS = 200;
const LOG_BYTES = 10 * 1_048_576;

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

interface Place {
  dir: string;
  data: string;
  socketDir: string;
  log: string;
  password: string;
}

/**
 * Starts the server in `dir`, or adopts the one that a killed hub has left running there, and starts it again
 * whenever it dies.
 */
export async function startEmbeddedDatabase(options: {
  dir: string;
  log: Logger;
}): Promise<EmbeddedDatabase> {
  const { dir, log } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const binaries = await findBinaries(join(dir, "lib"));
  const socketDir = socketDirFor(dir);
  await mkdir(socketDir, { recursive: true, mode: 0o700 });
  if (binaries.owner !== null)
    for (const path of [dir, socketDir]) await chown(path, binaries.owner.uid, binaries.owner.gid);
  const password = await readOrMakePassword(join(dir, "password"));
  const place: Place = {
    dir,
    data: join(dir, "data"),
    socketDir,
    log: join(dir, "server.log"),
    password,
  };
  await initialise(binaries, place);
  await startUntilItAnswers(binaries, place, log);
  await createDatabase(place);

  const closing = new AbortController();
  const supervising = supervise();
  async function supervise(): Promise<void> {
    while (!closing.signal.aborted) {
      await pause(LOOK_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted || (await serverPid(place)) !== null) continue;
      log.error("embedded database has died and is started again");
      await startUntilItAnswers(binaries, place, log).catch((error: unknown) =>
        log.error({ err: error }, "embedded database could not be started"),
      );
    }
  }

  const close = async () => {
    closing.abort();
    await supervising;
    await stop(place);
  };
  return { url: urlOf(place, DATABASE), close, [Symbol.asyncDispose]: close };
}

function urlOf({ password, socketDir }: Place, database: string): string {
  return `postgresql://${USER}:${password}@localhost/${database}?host=${encodeURIComponent(socketDir)}`;
}

function socketDirFor(dir: string): string {
  if (Buffer.byteLength(dir) <= MAX_SOCKET_DIR_BYTES) return dir;
  const name = createHash("sha256").update(dir).digest("hex").slice(0, 16);
  return join(tmpdir(), `claude-hub-${name}`);
}

async function readOrMakePassword(path: string): Promise<string> {
  try {
    await writeFile(path, randomBytes(24).toString("hex"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
  return (await readFile(path, "utf8")).trim();
}

/** Makes the cluster under another name first, so that a kill in the middle leaves nothing that looks finished. */
async function initialise(binaries: Binaries, place: Place): Promise<void> {
  if (await exists(join(place.data, "PG_VERSION"))) return;
  const draft = join(place.dir, "draft");
  const passwordFile = join(place.dir, "draft-password");
  await rm(draft, { recursive: true, force: true });
  await writeFile(passwordFile, `${place.password}\n`, { mode: 0o600 });
  if (binaries.owner !== null) await chown(passwordFile, binaries.owner.uid, binaries.owner.gid);
  const [command, ...args] = [
    ...binaries.prefix,
    binaries.initdb,
    "--pgdata",
    draft,
    "--username",
    USER,
    "--pwfile",
    passwordFile,
    "--auth",
    "scram-sha-256",
    "--encoding",
    "UTF8",
    "--locale",
    "C",
  ];
  try {
    await promisify(execFile)(command, args, { env: binaries.env, cwd: "/" });
  } catch (error) {
    throw new Error("the embedded database could not be initialised", { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, place.data);
}

async function startUntilItAnswers(binaries: Binaries, place: Place, log: Logger): Promise<void> {
  const end = Date.now() + START_MS;
  for (let attempt = 1; ; attempt += 1) {
    // The server of a hub that was killed lives on.
    if ((await serverPid(place)) === null) await launch(binaries, place);
    const answered = await answers(place, Math.min(2_000, end - Date.now()));
    if (answered === true) return;
    log.debug({ attempt, err: answered }, "embedded database does not answer yet");
    if (Date.now() >= end)
      throw new Error(`the embedded database does not start, see ${place.log}`, {
        cause: answered,
      });
  }
}

async function launch(binaries: Binaries, place: Place): Promise<void> {
  await boundLog(place.log);
  const output = await open(place.log, "a", 0o600);
  const settings = { ...SETTINGS, unix_socket_directories: place.socketDir };
  const [command = "", ...args] = [
    ...binaries.prefix,
    binaries.postgres,
    "-D",
    place.data,
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
    child.on("error", () => undefined);
    child.unref();
  } finally {
    await output.close();
  }
}

async function boundLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES) await rename(path, `${path}.old`);
}

/** True once it answers, else why it did not. */
async function answers(place: Place, timeoutMs: number): Promise<unknown> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const client = new Client({
      connectionString: urlOf(place, "postgres"),
      connectionTimeoutMillis: 2_000,
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return true;
    } catch (error) {
      if (Date.now() >= end) return error;
      await pause(10);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function createDatabase(place: Place): Promise<void> {
  const client = new Client({ connectionString: urlOf(place, "postgres") });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [
      DATABASE,
    ]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** The living server's process id, by the file that the server itself keeps. */
async function serverPid(place: Place): Promise<number | null> {
  const text = await readFile(join(place.data, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) return null;
  try {
    const [command, state] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readFile(`/proc/${pid}/stat`, "utf8"),
    ]);
    const zombie = /^[ZX]/.test(state.slice(state.lastIndexOf(")") + 2));
    return command.includes(place.data) && !zombie ? pid : null;
  } catch {
    // No such process, or a system without /proc: there a signal tells.
    return process.platform === "linux" || !isAlive(pid) ? null : pid;
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

async function stop(place: Place): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    const pid = await serverPid(place);
    if (pid === null) return;
    process.kill(pid, signal);
    for (const end = Date.now() + STOP_MS; Date.now() < end; await pause(10))
      if ((await serverPid(place)) === null) return;
  }
  throw new Error("the embedded database does not stop");
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
