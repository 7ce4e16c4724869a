import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../test/kit/hub/database.ts";
import { openDatabase } from "./database.ts";
import { migrate } from "./migrator.ts";

async function tablesOf(url: string): Promise<unknown[]> {
  await using database = openDatabase({ url, maxConnections: 1 });
  const { rows } = await sql`select table_name::text as name from information_schema.tables
    where table_schema = 'public' order by 1`.execute(database.db);
  return rows;
}

test("a second time changes nothing, and what is stored stays", async () => {
  await using own = await createTestDatabase(inject("databaseServer"), { migrated: false });
  expect(await tablesOf(own.url)).toEqual([]);
  await migrate(own.url);
  const tables = await tablesOf(own.url);
  expect(tables).toContainEqual({ name: "sessions" });
  await using database = openDatabase({ url: own.url, maxConnections: 1 });
  const insert = sql`insert into deliveries (provider, delivery_id, event, outcome, payload, received_at)
    values ('p', 'd', 'e', 'i', '', now())`;
  await insert.execute(database.db);
  await migrate(own.url);
  expect(await tablesOf(own.url)).toEqual(tables);
  const { rows } = await sql`select delivery_id from deliveries`.execute(database.db);
  expect(rows).toEqual([{ delivery_id: "d" }]);
});

test("hubs that migrate at the same time all succeed", async () => {
  await using own = await createTestDatabase(inject("databaseServer"), { migrated: false });
  await Promise.all(Array.from({ length: 5 }, () => migrate(own.url)));
  expect(await tablesOf(own.url)).toContainEqual({ name: "events" });
});

test("a database that refuses says what was being done, with the cause", async () => {
  await using own = await createTestDatabase(inject("databaseServer"), { migrated: false });
  {
    await using database = openDatabase({ url: own.url, maxConnections: 1 });
    await sql`create table sessions (of_somebody_else integer)`.execute(database.db);
  }
  await expect(migrate(own.url)).rejects.toMatchObject({
    message: "the database schema could not be brought up to date",
    cause: { code: "42P07" },
  });
  // Nothing is left half done.
  expect(await tablesOf(own.url)).not.toContainEqual({ name: "events" });
});
