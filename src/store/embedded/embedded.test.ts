import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  chown,
  mkdir,
  readFile,
  readdir,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import pino from "pino";
import { expect, test } from "vitest";
import { startHolder } from "../../../test/kit/hub/holder.ts";
import { isRunning } from "../../../test/kit/process.ts";
import { createTempDir } from "../../../test/kit/temp-dir.ts";
import { waitFor } from "../../../test/kit/wait.ts";
import { startEmbeddedDatabase } from "./embedded.ts";

const isRoot = process.getuid?.() === 0;
/** Whose the server is under root; `id nobody` says the same on every system that this is tested on. */
const NOBODY = 65_534;
const log = pino({ level: "silent" });

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // A server that is killed breaks the connection; the statement says so.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows.flatMap((row) =>
      Object.values(row),
    );
  } finally {
    await client.end();
  }
}

async function serverOf(dir: string): Promise<number> {
  const text = await readFile(join(dir, "data/postmaster.pid"), "utf8");
  return Number(text.split("\n")[0]);
}

test("a server starts, keeps what it is told, and stops", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  {
    await using server = await startEmbeddedDatabase({ dir, log });
    await query(server.url, "create table kept as select 42 as n");
    const settings = ["listen_addresses", "fsync", "jit", "server_encoding"];
    const shown = settings.map((name) => query(server.url, `show ${name}`));
    expect((await Promise.all(shown)).flat()).toEqual(["", "on", "off", "UTF8"]);
    expect(await query(server.url, "select current_database()")).toEqual(["claude_hub"]);
    expect((await stat(join(dir, "password"))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    const status = await readFile(`/proc/${await serverOf(dir)}/status`, "utf8");
    expect(status.includes("Uid:\t0\t")).toBe(false);
    // Without the password nobody gets in.
    const guess = new URL(server.url);
    guess.password = "guess";
    await expect(query(guess.href, "select 1")).rejects.toMatchObject({ code: "28P01" });
  }
  expect(existsSync(join(dir, "data/postmaster.pid"))).toBe(false);
  await using server = await startEmbeddedDatabase({ dir, log });
  expect(await query(server.url, "select n from kept")).toEqual([42]);
});

test("a server whose hub was killed lives on, and the next hub adopts and stops it", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  await using first = await startHolder("database", dir);
  const [, url = ""] = first.said.split(" ");
  const pid = await serverOf(dir);
  await first.kill();
  expect(await query(url, "select 1")).toEqual([1]);
  {
    await using server = await startEmbeddedDatabase({ dir, log });
    expect(server.url).toBe(url);
    expect(await serverOf(dir)).toBe(pid);
  }
  await waitFor(() => !isRunning(pid), { what: "the end of the server" });
});

test("a hub that ends in order stops its server", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  await using hub = await startHolder("database", dir);
  const pid = await serverOf(dir);
  expect(await hub.stop()).toBe(0);
  expect(isRunning(pid)).toBe(false);
});

test("a server that is killed is started again, and has lost nothing", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  await using server = await startEmbeddedDatabase({ dir, log });
  await query(server.url, "create table kept (n integer)");
  for (let kill = 1; kill <= 3; kill += 1) {
    await query(server.url, `insert into kept values (${kill})`);
    const pid = await serverOf(dir);
    process.kill(pid, "SIGKILL");
    await waitFor(async () => (await serverOf(dir)) !== pid && query(server.url, "select 1"), {
      timeoutMs: 30_000,
      what: "the server to be back",
    });
  }
  expect(await query(server.url, "select n from kept order by n")).toEqual([1, 2, 3]);
});

test("what a kill during the first start leaves behind does no harm", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  await mkdir(join(dir, "draft.0/base"), { recursive: true, mode: 0o700 });
  await writeFile(join(dir, "draft.0/PG_VERSION"), "18\n");
  await writeFile(join(dir, "draft.0.password"), "old");
  await writeFile(join(dir, "password"), "");
  await writeFile(join(dir, "password.draft"), "ha");
  await using server = await startEmbeddedDatabase({ dir, log });
  expect(await query(server.url, "select 1")).toEqual([1]);
  expect((await readdir(dir)).filter((name) => name.includes("draft"))).toEqual([]);
});

test("a hub that is killed at any moment of its first start leaves what the next one can use", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  const program = join(import.meta.dirname, "../../../test/kit/hub/holder.mjs");
  const names = async () => (await readdir(dir, { recursive: true })).join("\n");
  for (const stage of [
    /^password$/m,
    /^draft\.\w+$/m,
    /^draft\.\w+\/base\/5$/m,
    /postmaster.pid/,
  ]) {
    const hub = spawn(process.execPath, [program, "database", dir], {
      env: { PATH: "/usr/bin:/bin" },
      stdio: "ignore",
    });
    const ended = once(hub, "exit");
    try {
      await waitFor(async () => stage.test(await names()), {
        intervalMs: 1,
        timeoutMs: 20_000,
        what: String(stage),
      });
    } finally {
      hub.kill("SIGKILL");
      await ended;
    }
  }
  await using server = await startEmbeddedDatabase({ dir, log });
  expect(await query(server.url, "select current_database()")).toEqual(["claude_hub"]);
});

test("a process id that has become another process's does not keep the server from starting", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  await using first = await startHolder("database", dir);
  const pidFile = join(dir, "data/postmaster.pid");
  const text = await readFile(pidFile, "utf8");
  expect(await first.stop()).toBe(0);
  // PostgreSQL minds only processes that it may signal: those of its own user.
  const other = spawn("sleep", ["60"], isRoot ? { uid: NOBODY, gid: NOBODY } : {});
  try {
    const forged = text.replace(/^\d+/, String(other.pid));
    await writeFile(pidFile, forged, { mode: 0o600 });
    await writeFile(join(dir, ".s.PGSQL.5432.lock"), forged, { mode: 0o600 });
    if (isRoot)
      for (const path of [pidFile, join(dir, ".s.PGSQL.5432.lock")])
        await chown(path, NOBODY, NOBODY);
    await using server = await startEmbeddedDatabase({ dir, log });
    expect(await query(server.url, "select 1")).toEqual([1]);
    expect(other.exitCode).toBeNull();
  } finally {
    const ended = once(other, "exit");
    other.kill("SIGKILL");
    await ended;
  }
});

test("where the path is too long for a socket, a directory of its own is taken, but never another's", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "x".repeat(90));
  const name = createHash("sha256").update(dir).digest("hex").slice(0, 16);
  const socketDir = join(tmpdir(), `claude-hub-${name}`);
  {
    await using server = await startEmbeddedDatabase({ dir, log });
    expect(await query(server.url, "select 1")).toEqual([1]);
    expect((await stat(socketDir)).mode & 0o777).toBe(0o700);
  }
  expect(existsSync(socketDir)).toBe(false);
  await using trap = await createTempDir("trap");
  const { uid } = await stat(trap.path);
  await symlink(trap.path, socketDir);
  try {
    await expect(startEmbeddedDatabase({ dir, log })).rejects.toThrow("not the hub's own");
    expect((await stat(trap.path)).uid).toBe(uid);
  } finally {
    await unlink(socketDir);
  }
});

test("the log is bounded while the server runs", async () => {
  await using temp = await createTempDir("pg");
  const dir = join(temp.path, "postgres");
  await using server = await startEmbeddedDatabase({ dir, log });
  await writeFile(join(dir, "server.log"), Buffer.alloc(11 * 1_048_576, "x"), { flag: "a" });
  await waitFor(async () => (await stat(join(dir, "server.log"))).size < 1_000);
  await expect(query(server.url, "select 1/0")).rejects.toThrow("division by zero");
  const line = () => readFile(join(dir, "server.log"), "utf8");
  expect(await waitFor(async () => /division by zero/.exec(await line()))).not.toBeNull();
});

test.runIf(isRoot)(
  "a hub that is not root runs the server as itself (skipped where the tests are not root)",
  async () => {
    await using temp = await createTempDir("pg");
    const dir = join(temp.path, "postgres");
    await chown(temp.path, NOBODY, NOBODY);
    const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
    await using hub = await startHolder("database", dir, {
      prefix: ["setpriv", ...ids, "--bounding-set=-all", "--inh-caps=-all", "--"],
    });
    expect(hub.said).toMatch(/^held postgresql:/);
    const status = await readFile(`/proc/${await serverOf(dir)}/status`, "utf8");
    expect(status).toContain(`Uid:\t${NOBODY}\t`);
    expect(await query(hub.said.slice("held ".length), "select 1")).toEqual([1]);
    expect(await hub.stop()).toBe(0);
  },
);

test.runIf(isRoot)(
  "under root without the capability it says at once what is missing (skipped where the tests are not root)",
  async () => {
    await using temp = await createTempDir("pg");
    await using hub = await startHolder("database", join(temp.path, "postgres"), {
      prefix: ["setpriv", "--bounding-set=-dac_read_search", "--inh-caps=-dac_read_search", "--"],
    });
    expect(hub.said).toMatch(/^refused PostgreSQL refuses to run as root.*DAC_READ_SEARCH/);
  },
);
