import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { link, mkdir, rename, rm, stat } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { join } from "node:path";
import { hasCode } from "./failure.ts";

/** The hub's directory, held for one hub alone until it is disposed of or its process ends. */
export interface DataDir extends AsyncDisposable {
  path: string;
}

const ATTEMPTS = 10;

/** Makes the directory for the owner alone and takes its lock. Throws, in one sentence, when that cannot be. */
export async function openDataDir(path: string): Promise<DataDir> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(path);
  if (process.getuid !== undefined && uid !== process.getuid())
    throw new Error(`the data directory ${path} belongs to another user`);
  if ((mode & 0o077) !== 0)
    throw new Error(`the data directory ${path} is open to others; it must have mode 0700`);
  const server = await lock(join(path, "lock"));
  return {
    path,
    async [Symbol.asyncDispose]() {
      const ended = once(server, "close");
      server.close();
      await rm(join(path, "lock"), { force: true });
      await ended;
    },
  };
}

/**
 * The lock is a socket that the holder listens on: the kernel stops answering the moment that it dies, so a lock is
 * never stale and no pid is ever mistaken for another's.
 */
async function lock(path: string): Promise<Server> {
  const draft = `${path}.${randomBytes(4).toString("hex")}`;
  const server = createServer((socket) => socket.end(String(process.pid)));
  server.unref();
  server.listen(draft);
  await once(server, "listening");
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await succeeds(link(draft, path), "EEXIST")) return server;
      const holder = await holderOf(path);
      if (holder !== null)
        throw new Error(`another hub (process ${holder}) is at work in the same data directory`);
      await succeeds(rename(path, `${draft}.stale`), "ENOENT");
    }
    throw new Error(`the lock ${path} cannot be taken`);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(draft, { force: true });
    await rm(`${draft}.stale`, { force: true });
  }
}

/** What the holder says of itself; null: nobody holds it. */
async function holderOf(path: string): Promise<string | null> {
  const socket = connect(path);
  try {
    let said = "";
    for await (const chunk of socket.setEncoding("utf8")) said += String(chunk);
    return said;
  } catch (error) {
    if (hasCode(error, "ECONNREFUSED", "ENOENT")) return null;
    throw error;
  } finally {
    socket.destroy();
  }
}

async function succeeds(work: Promise<void>, butFor: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (hasCode(error, butFor)) return false;
    throw error;
  }
}
