import { Kysely, PostgresDialect } from "kysely";
import type { Transaction } from "kysely";
import { Pool } from "pg";
import type { QueryResultRow } from "pg";
import type { Tables } from "./tables.ts";

/** A Kysely handle or a transaction of it. */
export type Db = Kysely<Tables>;
export type Tx = Transaction<Tables>;

export interface Database extends AsyncDisposable {
  url: string;
  db: Db;
  /** Runs a prepared statement; for the few statements that run thousands of times a second. */
  prepared<Row extends QueryResultRow>(
    name: string,
    text: string,
    values: unknown[],
  ): Promise<Row[]>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** @param connectTimeoutMs How long a request waits for a connection before it fails as `unavailable`. */
export function openDatabase(options: {
  url: string;
  maxConnections: number;
  connectTimeoutMs?: number;
  onIdleError?: (error: Error) => void;
}): Database {
  let closed: Promise<void> | undefined;
  const pool = new Pool({
    connectionString: options.url,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 30_000,
    application_name: "claude-hub",
  });
  // Without a listener, a server that closes an idle connection would end the process.
  pool.on("error", (error) => {
    if (closed === undefined) options.onIdleError?.(error);
  });
  // Nor one that breaks while it is at work: whoever uses it is told by the failure of the statement.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const close = () => (closed ??= db.destroy());
  return {
    url: options.url,
    db,
    async prepared<Row extends QueryResultRow>(name: string, text: string, values: unknown[]) {
      return (await pool.query<Row>({ name, text, values })).rows;
    },
    async ping() {
      await pool.query("select 1");
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
