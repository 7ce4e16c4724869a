import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createTestDatabase } from "../../test/kit/hub/database.ts";
import { openDatabase } from "./database.ts";
import type { Database } from "./database.ts";
import { migrate } from "./migrator.ts";
import { createRepairStore } from "./threads/repairs.ts";

const parts = new AsyncDisposableStack();
let database: Database;
beforeAll(async () => {
  const { url } = parts.use(await createTestDatabase(inject("databaseServer")));
  await migrate(url);
  database = parts.use(openDatabase({ url, maxConnections: 1 }));
});
afterAll(async () => {
  await parts.disposeAsync();
});

test("no more is claimed than was asked for, whatever the planner makes of it", async () => {
  const { db } = database;
  // What is then left is a loop that asks for its inner side again and again: it finds others, as the first are locked.
  for (const way of ["hashjoin", "mergejoin", "hashagg", "sort", "material"])
    await sql.raw(`set enable_${way} = off`).execute(db);
  const store = createRepairStore(database);
  const at = new Date("2026-01-01T00:00:00Z");
  for (const digit of "12345")
    await store.wake({
      repositoryId: 1,
      repository: "octo/greeter",
      sha: digit.repeat(40),
      dueAt: at,
      at,
    });
  const claimed = await store.claim({ executorId: "one", leaseMs: 60_000, limit: 1, now: at });
  expect(claimed).toHaveLength(1);
  const { rows } = await sql`select 1 from check_wakes where claimed_by is not null`.execute(db);
  expect(rows).toHaveLength(1);
});

// In a list that `in` is given, PostgreSQL may run it more than once; each time others are locked.
test("what is locked is chosen once", async () => {
  const names = await readdir(import.meta.dirname, { recursive: true });
  for (const name of names.filter((one) => one.endsWith(".ts") && !one.endsWith(".test.ts"))) {
    const text = await readFile(join(import.meta.dirname, name), "utf8");
    const locks = text.match(/skip locked/g) ?? [];
    const once = text.match(/with \w+ as materialized \([^;`]*?skip locked/g) ?? [];
    expect([name, once.length]).toEqual([name, locks.length]);
  }
});
