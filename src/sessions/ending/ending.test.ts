import { sessionInsert } from "../../../test/kit/hub/session-insert.ts";
import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { waitFor } from "../../../test/kit/wait.ts";
import type { Id } from "../../core/id.ts";
import { openDatabase } from "../../store/database.ts";
import type { Tx } from "../../store/database.ts";
import { lockSessions } from "../../store/log/events.ts";
import { insertWithin, readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import { endWithin } from "./ending.ts";

const AT = new Date("2026-01-01T00:00:00Z");

async function insert(tx: Tx, dependencies: Id[]): Promise<Id> {
  const made = sessionInsert(AT.toISOString(), { session: { dependencies } });
  await insertWithin(tx, [{ insert: made, openDependencies: dependencies.length }]);
  return made.id;
}

test("what is made to depend on a session while that is being cancelled is cancelled as well", async () => {
  await using own = await createTestDatabase(inject("databaseServer"));
  await using database = openDatabase({ url: own.url, maxConnections: 4 });
  const [first, second] = await inTransaction(database, async (tx) => {
    const id = await insert(tx, []);
    return [id, await insert(tx, [id])] as const;
  });
  let ending: Promise<void> | undefined;
  const late = await inTransaction(database, async (tx) => {
    await lockSessions(tx, [second]);
    const id = await insert(tx, [second]);
    ending = inTransaction(database, async (other) => {
      await lockSessions(other, [first]);
      await endWithin(other, first, { status: "failed", error: "It failed", events: [] }, AT);
    });
    await waitFor(async () => {
      const { rows } = await sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(database.db);
      return rows.length > 0;
    });
    return id;
  });
  await ending;
  const read = await readWithin(database.db, [first, second, late]);
  expect(read.map(({ status }) => status)).toEqual(["failed", "cancelled", "cancelled"]);
  expect(read[2]?.error).toContain(first);
});
