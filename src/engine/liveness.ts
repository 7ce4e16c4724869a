import { DBOSExecutor } from "@dbos-inc/dbos-sdk/internal/dbos-executor";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import type { Logger } from "pino";
import { z } from "zod";
import { repeatedly } from "./repeatedly.ts";

/** First key of the advisory locks by which hubs show that they live; the second is a hash of their name. */
const LIVENESS = 7_312_002;
const LOOK_MS = 1_000;
const RETRY_MS = 200;

const ExecutorRow = z.object({ executor_id: z.string() });
const LockRow = z.object({ got: z.boolean() });

export interface Liveness extends AsyncDisposable {
  /** Begins to take over from hubs that are gone; the engine's tables exist by then. */
  watch(): void;
}

/**
 * Holds a lock that PostgreSQL frees by itself when this hub dies, and takes over the workflows of hubs whose lock is
 * free. There is no clock in it: a hub that is slow is not dead.
 */
export async function keepAlive(options: {
  url: string;
  executorId: string;
  log: Logger;
}): Promise<Liveness> {
  const { executorId, log } = options;
  let client = await hold(options);
  let lost = false;
  const closing = new AbortController();

  async function look(): Promise<void> {
    if (lost) {
      await client.end().catch(() => undefined);
      client = await hold(options);
      lost = false;
      client.once("end", onLost);
    }
    for (const dead of await deadExecutors(client, executorId)) await takeOver(dead);
  }

  async function takeOver(dead: string): Promise<void> {
    if (!(await tryLock(client, dead))) return;
    try {
      log.warn({ executorId: dead }, "taking over the sessions of a hub that is gone");
      await DBOSExecutor.globalInstance?.recoverPendingWorkflows([dead]);
    } finally {
      await client.query("select pg_advisory_unlock($1, hashtext($2))", [LIVENESS, dead]);
    }
  }

  const onLost = () => (lost = true);
  client.once("end", onLost);
  let looking: AsyncDisposable | undefined;
  return {
    watch() {
      const { signal } = closing;
      looking = repeatedly({ name: "takeover", everyMs: LOOK_MS, work: look, signal, log });
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await looking?.[Symbol.asyncDispose]();
      await client.end();
    },
  };
}

/** Connects and takes this hub's own lock; while another hub looks at it, or a predecessor's connection lingers, waits. */
async function hold({ url, executorId, log }: { url: string; executorId: string; log: Logger }) {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: "claude-hub liveness",
  });
  // The end of the connection is what is acted upon.
  client.on("error", (error) => log.debug({ err: error }, "liveness connection failed"));
  await client.connect();
  for (let attempt = 0; attempt < 50; attempt += 1) {
    if (await tryLock(client, executorId)) return client;
    await pause(RETRY_MS);
  }
  await client.end();
  throw new Error(`another hub named ${executorId} is at work on this database`);
}

async function tryLock(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query("select pg_try_advisory_lock($1, hashtext($2)) as got", [
    LIVENESS,
    name,
  ]);
  return LockRow.parse(rows[0]).got;
}

async function deadExecutors(client: Client, self: string): Promise<string[]> {
  const { rows } = await client.query(
    `select distinct executor_id from dbos.workflow_status
     where status = 'PENDING' and executor_id is not null and executor_id <> $1`,
    [self],
  );
  return rows.map((row) => ExecutorRow.parse(row).executor_id);
}
