import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createTempDir } from "../temp-dir.ts";

/** Stands between a hub and its database, and can be cut like a cable. */
export interface DatabaseCable extends AsyncDisposable {
  url: string;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
}

/** @param url Of a server that listens on a unix socket. */
export async function createDatabaseCable(url: string): Promise<DatabaseCable> {
  const temp = await createTempDir("cable");
  const behind = join(new URL(url).searchParams.get("host") ?? "", ".s.PGSQL.5432");
  const path = join(temp.path, ".s.PGSQL.5432");
  const sockets = new Set<Socket>();

  const server = createServer((near) => {
    const far = connect(behind);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });

  async function restore(): Promise<void> {
    await rm(path, { force: true });
    server.listen(path);
    await once(server, "listening");
  }
  async function cut(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  await restore();
  const through = new URL(url);
  through.searchParams.set("host", temp.path);
  return {
    url: through.href,
    cut,
    restore,
    async [Symbol.asyncDispose]() {
      if (server.listening) await cut();
      await temp[Symbol.asyncDispose]();
    },
  };
}
