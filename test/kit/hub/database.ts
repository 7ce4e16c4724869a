import { randomBytes } from "node:crypto";
import { Client } from "pg";

export const TEMPLATE = "claude_hub_template";

export interface TestDatabase extends AsyncDisposable {
  url: string;
}

/**
 * A database of one's own on a server that has the template, dropped at the end.
 *
 * @param options.migrated False: an empty one, without any table.
 */
export async function createTestDatabase(
  serverUrl: string,
  { migrated = true }: { migrated?: boolean } = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  await run(serverUrl, `create database ${name} template ${migrated ? TEMPLATE : "template0"}`);
  return {
    url: urlFor(serverUrl, name),
    async [Symbol.asyncDispose]() {
      await run(serverUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

/** The same server, another database. */
export function urlFor(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
