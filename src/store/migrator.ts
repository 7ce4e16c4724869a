import { Migrator } from "kysely/migration";

import { openDatabase } from "./database.ts";
import type { Db } from "./database.ts";
import * as initial from "./migrations/0001-initial.ts";
import * as prepared from "./migrations/0002-prepared.ts";
import * as continuations from "./migrations/0003-continuations.ts";
import * as deliveryQueue from "./migrations/0004-delivery-queue.ts";
import * as forgeWrites from "./migrations/0005-forge-writes.ts";
import * as threads from "./migrations/0007-threads.ts";
import * as labels from "./migrations/0008-labels.ts";
import * as toolCalls from "./migrations/0009-tool-calls.ts";
import * as reviews from "./migrations/0010-reviews.ts";
import * as repairs from "./migrations/0011-repairs.ts";
import * as deliveries from "./migrations/0012-deliveries.ts";
import * as dayBudgets from "./migrations/0014-day-budgets.ts";
import * as sessionChecks from "./migrations/0013-session-checks.ts";
import * as apiTokens from "./migrations/0015-api-tokens.ts";
import * as notices from "./migrations/0018-notices.ts";
import * as pushes from "./migrations/0021-pushes.ts";
import * as budgets from "./migrations/0022-budgets.ts";
import * as orchestrations from "./migrations/0016-orchestrations.ts";
import * as talk from "./migrations/0017-talk.ts";
import * as people from "./migrations/0024-people.ts";
import * as coordination from "./migrations/0023-coordination.ts";

const MIGRATIONS = {
  "0001-initial": { up: initial.up },
  "0002-prepared": { up: prepared.up },
  "0003-continuations": { up: continuations.up },
  "0004-delivery-queue": { up: deliveryQueue.up },
  "0005-forge-writes": { up: forgeWrites.up },
  "0007-threads": { up: threads.up },
  "0008-labels": { up: labels.up },
  "0009-tool-calls": { up: toolCalls.up },
  "0010-reviews": { up: reviews.up },
  "0011-repairs": { up: repairs.up },
  "0012-deliveries": { up: deliveries.up },
  "0014-day-budgets": { up: dayBudgets.up },
  "0013-session-checks": { up: sessionChecks.up },
  "0015-api-tokens": { up: apiTokens.up },
  "0018-notices": { up: notices.up },
  "0021-pushes": { up: pushes.up },
  "0022-budgets": { up: budgets.up },
  "0016-orchestrations": { up: orchestrations.up },
  "0017-talk": { up: talk.up },
  "0024-people": { up: people.up },
  "0023-coordination": { up: coordination.up },
};
/** Names of all that there are, in their order. */
export const MIGRATION_NAMES: readonly string[] = Object.keys(MIGRATIONS);

/** Brings the schema up to date. Safe to run from several hubs at once: Kysely takes a lock. */
export async function migrateDatabase(db: Db): Promise<void> {
  const migrator = new Migrator({
    db,
    // Their numbers are given out before they are written.
    allowUnorderedMigrations: true,
    provider: {
      getMigrations: () => Promise.resolve(MIGRATIONS),
    },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined)
    throw new Error("the database schema could not be brought up to date", { cause: error });
}

/** @param url Connection string of the database. */
export async function migrate(url: string): Promise<void> {
  await using database = openDatabase({ url, maxConnections: 1 });
  await migrateDatabase(database.db);
}
