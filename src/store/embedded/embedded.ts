import { access, mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import type { Logger } from "pino";
import { findBinaries, refusal } from "./binaries.ts";
import type { Binaries } from "./binaries.ts";
import { prepareCluster, SERVER_USER } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import { boundLog, launch, serverPid, stop } from "./server.ts";
import type { Launched } from "./server.ts";

/** A PostgreSQL server of the hub's own. */
export interface EmbeddedDatabase extends AsyncDisposable {
  url: string;
  /** Stops the server; every connection must be closed by then. */
  close(): Promise<void>;
}

const DATABASE = "claude_hub";
const START_MS = 30_000;
const ANSWER_MS = 2_000;
const LOOK_MS = 200;
const RETRY_MS = { first: 20, most: 500 };

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
  const cluster = await prepareCluster(binaries, dir);
  const closing = new AbortController();
  let launched: Launched | null = null;

  async function start(): Promise<void> {
    const end = Date.now() + START_MS;
    for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.most)) {
      // The server of a hub that was killed lives on.
      if ((await serverPid(cluster)) === null) launched = await launch(binaries, cluster);
      const signals = [closing.signal, ...(launched === null ? [] : [launched.ended])];
      const answered = await answers(cluster, AbortSignal.any(signals));
      if (answered === true || closing.signal.aborted) return;
      log.debug({ err: answered }, "embedded database does not answer yet");
      // What is left of one that was killed keeps the next from starting for a moment.
      if (launched?.ended.aborted === true) await assertRunnable(binaries);
      if (Date.now() >= end)
        throw new Error(`the embedded database does not start, see ${cluster.log}`, {
          cause: answered,
        });
      await pause(delayMs);
    }
  }

  async function supervise(): Promise<void> {
    while (!closing.signal.aborted) {
      await pause(LOOK_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      try {
        await boundLog(cluster);
        if (closing.signal.aborted || (await serverPid(cluster)) !== null) continue;
        log.error("embedded database has died and is started again");
        await start();
      } catch (error) {
        log.error({ err: error }, "embedded database could not be started");
      }
    }
  }

  try {
    await boundLog(cluster);
    await start();
    await createDatabase(cluster);
  } catch (error) {
    await stop(cluster, launched).catch((err: unknown) =>
      log.error({ err }, "embedded database could not be stopped"),
    );
    throw error;
  }
  const supervising = supervise();
  const close = async () => {
    closing.abort();
    await supervising;
    await stop(cluster, launched);
    // One below the directory for temporary files is of no more use.
    if (cluster.socketDir !== dir) await rmdir(cluster.socketDir).catch(() => undefined);
  };
  return { url: urlOf(cluster, DATABASE), close, [Symbol.asyncDispose]: close };
}

/**
 * The address of the server that runs in `dir`; null: none does, but one could.
 *
 * @throws Error that says why none can run here.
 */
export async function findEmbeddedDatabase(dir: string): Promise<string | null> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const binaries = await findBinaries(join(dir, "lib"));
  const isMade = await access(join(dir, "password")).then(
    () => true,
    () => false,
  );
  if (isMade) {
    const cluster = await prepareCluster(binaries, dir);
    if ((await serverPid(cluster)) !== null) return urlOf(cluster, DATABASE);
  }
  await assertRunnable(binaries);
  return null;
}

function urlOf({ password, socketDir }: Cluster, database: string): string {
  return `postgresql://${SERVER_USER}:${password}@localhost/${database}?host=${encodeURIComponent(socketDir)}`;
}

async function assertRunnable(binaries: Binaries): Promise<void> {
  const error = await refusal(binaries);
  if (error !== null) throw error;
}

/** True once it answers, else why it did not. */
async function answers(cluster: Cluster, given: AbortSignal): Promise<unknown> {
  const end = Date.now() + ANSWER_MS;
  for (;;) {
    const client = new Client({
      connectionString: urlOf(cluster, "postgres"),
      connectionTimeoutMillis: ANSWER_MS,
    });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return true;
    } catch (error) {
      if (Date.now() >= end || given.aborted) return error;
      await pause(10);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function createDatabase(cluster: Cluster): Promise<void> {
  const client = new Client({ connectionString: urlOf(cluster, "postgres") });
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
