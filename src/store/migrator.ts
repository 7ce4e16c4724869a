import { Migrator } from "kysely/migration";

import { openDatabase } from "./database.ts";
import type { Db } from "./database.ts";
import * as initial from "./migrations/0001-initial.ts";
import * as prepared from "./migrations/0002-prepared.ts";
import * as deliveryQueue from "./migrations/0003-delivery-queue.ts";

/** Brings the schema up to date. Safe to run from several hubs at once: Kysely takes a lock. */
export async function migrateDatabase(db: Db): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: () =>
        Promise.resolve({
          "0001-initial": initial,
          "0002-prepared": prepared,
          "0003-delivery-queue": deliveryQueue,
        }),
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
