import { sql } from "kysely";
import { z } from "zod";
import type { Database } from "./database.ts";

export interface DatabaseState {
  version: string;
  /** What its clock says, and how long the question took. */
  now: Date;
  tookMs: number;
  /** Migrations that were applied; empty: it holds nothing of the hub's yet. */
  applied: string[];
}

const Row = z.object({ version: z.string(), now: z.date(), has_migrations: z.boolean() });
const Migration = z.object({ name: z.string() });

/** Reads, and changes nothing. */
export async function readDatabaseState({ db }: Database): Promise<DatabaseState> {
  const startedAt = performance.now();
  const { rows } = await sql`select current_setting('server_version') as version,
    clock_timestamp() as now, to_regclass('kysely_migration') is not null as has_migrations`.execute(
    db,
  );
  const tookMs = performance.now() - startedAt;
  const row = Row.parse(rows[0]);
  if (!row.has_migrations) return { version: row.version, now: row.now, tookMs, applied: [] };
  const found = await sql`select name from kysely_migration order by name`.execute(db);
  const applied = found.rows.map((one) => Migration.parse(one).name);
  return { version: row.version, now: row.now, tookMs, applied };
}
