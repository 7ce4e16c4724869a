import { EventEmitter } from "node:events";
import { Client, Pool } from "pg";
import type { ClientConfig } from "pg";
import type { Logger } from "pino";
import { hasCode } from "../store/failure.ts";

const CONNECTIONS = 12;

/**
 * The connections that DBOS works with. What it does about a database that is away, waiting for it, it does for
 * refused connections; a unix socket that is gone is the same thing by another name, and would end workflows.
 */
export function createEnginePool(url: string, log: Logger): Pool {
  const pool = new Pool({
    connectionString: url,
    Client: EngineClient,
    max: CONNECTIONS,
    connectionTimeoutMillis: 5_000,
    idle_in_transaction_session_timeout: 60_000,
    application_name: "claude-hub engine",
  });
  pool.on("error", (error) => log.debug({ err: error }, "engine connection was lost"));
  // Whoever uses a connection that breaks is told by the failure of the statement.
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

class EngineClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    const connection: unknown = Reflect.get(this, "connection");
    if (connection instanceof EventEmitter) connection.prependListener("error", asRefused);
  }
}

function asRefused(error: unknown): void {
  if (error instanceof Error && hasCode(error, "ENOENT", "EPIPE"))
    Object.assign(error, { code: "ECONNREFUSED" });
}
