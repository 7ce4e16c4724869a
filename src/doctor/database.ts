import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { openDatabase } from "../store/database.ts";
import { findEmbeddedDatabase } from "../store/embedded/embedded.ts";
import { MIGRATION_NAMES } from "../store/migrator.ts";
import { readDatabaseState } from "../store/schema-state.ts";
import type { DatabaseState } from "../store/schema-state.ts";
import { failure, fine, messageOf, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

const CONNECT_MS = 5_000;
const POSTGRES_MAJOR = 14;
const CLOCK_MS = 5_000;

/** The database that the hub would use, and whether its clock goes like this machine's. Nothing is changed. */
export async function checkDatabase(config: Pick<Config, "database" | "dir">): Promise<Finding[]> {
  const own = config.database.url;
  try {
    const url = own?.reveal() ?? (await findEmbeddedDatabase(join(config.dir, "postgres")));
    if (url === null)
      return [fine("database", "the hub's own PostgreSQL can run; it starts with the hub")];
    await using database = openDatabase({ url, maxConnections: 1, connectTimeoutMs: CONNECT_MS });
    const state = await readDatabaseState(database);
    const whose = own === null ? "the hub's own PostgreSQL" : "PostgreSQL";
    return [judge(`${whose} ${state.version}`, state), judgeClock(state, Date.now())];
  } catch (error) {
    const mend =
      own === null
        ? `read ${join(config.dir, "postgres", "server.log")}`
        : 'psql "$DATABASE_URL" -c "select 1"';
    return [failure("database", `it cannot be used: ${messageOf(error)}`, mend)];
  }
}

function judge(name: string, { version, applied }: DatabaseState): Finding {
  if (Number.parseInt(version, 10) < POSTGRES_MAJOR)
    return failure("database", `${name} is too old`, `use PostgreSQL ${POSTGRES_MAJOR} or newer`);
  const strange = applied.filter((one) => !MIGRATION_NAMES.includes(one));
  if (strange.length > 0)
    return failure(
      "database",
      `${name} was used by a newer version of the hub (${strange.join(", ")})`,
      "install that version again",
    );
  const missing = MIGRATION_NAMES.length - applied.length;
  const schema =
    missing === 0 ? "schema up to date" : "the next start of the hub brings its schema up to date";
  return fine("database", `${name}, ${schema}`);
}

/** @param nowMs When the answer had come. */
export function judgeClock({ now, tookMs }: DatabaseState, nowMs: number): Finding {
  const differenceMs = Math.abs(nowMs - now.getTime()) - tookMs;
  if (differenceMs <= CLOCK_MS) return fine("clock", "it goes like the database's");
  const found = `it differs from the database's by ${Math.round(differenceMs / 1_000)} s`;
  return warning("clock", found, "timedatectl set-ntp true");
}
