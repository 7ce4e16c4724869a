import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import type { Logger } from "pino";

/** `claude_hub_events`: a log has grown. `claude_hub_commands`: a runner has something to fetch. */
export type Channel = "claude_hub_events" | "claude_hub_commands";
const CHANNELS: readonly Channel[] = ["claude_hub_events", "claude_hub_commands"];

export interface Notifications extends AsyncDisposable {
  /**
   * Calls `listener` with the session's id at each notification, and with null when some may have been missed (after
   * the connection was lost), for the listener to look for itself.
   */
  on(channel: Channel, listener: (sessionId: string | null) => void): () => void;
  close(): Promise<void>;
}

const RETRY_MS = { first: 50, most: 1_000 };

/** One connection that LISTENs for the whole hub, made again for as long as it takes. */
export async function listenToDatabase(options: {
  url: string;
  log: Logger;
}): Promise<Notifications> {
  const listeners = new Map(
    CHANNELS.map((channel) => [channel, new Set<(sessionId: string | null) => void>()] as const),
  );
  const closing = new AbortController();

  async function connect(onLost: () => void): Promise<Client> {
    const client = new Client({
      connectionString: options.url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: "claude-hub listener",
    });
    client.on("error", onLost);
    client.on("end", onLost);
    client.on("notification", ({ channel, payload }) => {
      const found = CHANNELS.find((known) => known === channel);
      if (found === undefined) return;
      for (const listener of listeners.get(found) ?? []) listener(payload ?? null);
    });
    try {
      await client.connect();
      for (const channel of CHANNELS) await client.query(`listen ${channel}`);
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  async function keepConnected(first: Client, firstLost: Promise<void>): Promise<void> {
    let [client, lost] = [first, firstLost];
    while (!closing.signal.aborted) {
      await Promise.race([lost, aborted(closing.signal)]);
      // Its error, if any, is why it was lost.
      await client.end().catch(() => undefined);
      if (closing.signal.aborted) return;
      options.log.warn("database notifications were interrupted");
      const again = await reconnect();
      if (again === null) return;
      [client, lost] = again;
      for (const set of listeners.values()) for (const listener of set) listener(null);
    }
  }

  async function reconnect(): Promise<[Client, Promise<void>] | null> {
    for (let delayMs = RETRY_MS.first; !closing.signal.aborted;) {
      try {
        const lost = Promise.withResolvers<void>();
        return [await connect(lost.resolve), lost.promise];
      } catch (error) {
        options.log.debug({ err: error }, "database notifications are still interrupted");
        await pause(delayMs);
        delayMs = Math.min(delayMs * 2, RETRY_MS.most);
      }
    }
    return null;
  }

  const lost = Promise.withResolvers<void>();
  const running = keepConnected(await connect(lost.resolve), lost.promise);
  const close = async () => {
    closing.abort();
    await running;
  };
  return {
    on(channel, listener) {
      listeners.get(channel)?.add(listener);
      return () => void listeners.get(channel)?.delete(listener);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
