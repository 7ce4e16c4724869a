import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import pino from "pino";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { startEmbeddedDatabase } from "../../src/store/embedded/embedded.ts";
import { migrate } from "../../src/store/migrator.ts";
import { TEMPLATE, urlFor } from "./hub/database.ts";
import { stopEngines } from "./runtimes/engine.ts";
import { createTempDir } from "./temp-dir.ts";

declare module "vitest" {
  interface ProvidedContext {
    databaseServer: string;
    /** Where the container engines of the run are, if a test has asked for one. */
    engineDir: string;
  }
}

/** One database server for the whole run (TEST_DATABASE_URL names another one), and the runner as sandboxes run it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = join(import.meta.dirname, "../..");
  await promisify(execFile)(process.execPath, [join(root, "scripts/bundles.ts")], {
    cwd: root,
  });
  const given = process.env["TEST_DATABASE_URL"];
  const temp = await createTempDir("db");
  const server =
    given === undefined
      ? await startEmbeddedDatabase({
          dir: join(temp.path, "postgres"),
          log: pino({ level: "error" }),
        })
      : null;
  const url = given ?? server?.url ?? "";
  await makeTemplate(url);
  project.provide("databaseServer", url);
  const engine = await createTempDir("engine");
  const engineDir = join(engine.path, "engine");
  project.provide("engineDir", engineDir);
  return async () => {
    await stopEngines(engineDir);
    await engine[Symbol.asyncDispose]();
    await server?.close();
    await temp[Symbol.asyncDispose]();
  };
}

/** Tests get copies of a database that was migrated once. */
async function makeTemplate(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`drop database if exists ${TEMPLATE} with (force)`);
  await client.query(`create database ${TEMPLATE}`);
  await client.end();
  await migrate(urlFor(url, TEMPLATE));
}
