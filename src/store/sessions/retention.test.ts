import { sessionInsert } from "../../../test/kit/hub/session-insert.ts";
import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { newId } from "../../core/id.ts";
import { openDatabase } from "../database.ts";
import { createDeliveryStore } from "../deliveries/deliveries.ts";
import { createEventStore } from "../log/events.ts";
import { createForgeWrites } from "../threads/forge-writes.ts";
import { createRetentionStore } from "./retention.ts";
import { createSessionStore, insertWithin } from "./sessions.ts";
import { createThreadSessionStore } from "../threads/thread-sessions.ts";
import { inTransaction } from "../transaction.ts";

const CUTOFF = new Date("2026-06-01T00:00:00Z");

test("deletes what ended before the cutoff, but not what something unfinished depends on", async () => {
  await using own = await createTestDatabase(inject("databaseServer"));
  await using database = openDatabase({ url: own.url, maxConnections: 2 });
  const sessions = createSessionStore(database);
  const retention = createRetentionStore(database);

  async function make(completedAt: string | null, dependencies: string[] = []): Promise<string> {
    const insert = sessionInsert("2026-01-01T00:00:00Z", { session: { dependencies } });
    const { id } = insert;
    await inTransaction(database, async (tx) => {
      await insertWithin(tx, [{ insert, openDependencies: 0 }]);
      await tx
        .updateTable("sessions")
        .set({ completed_at: completedAt })
        .where("id", "=", id)
        .execute();
    });
    return id;
  }

  const old = await make("2026-05-01T00:00:00Z");
  const needed = await make("2026-05-01T00:00:00Z");
  const young = await make("2026-07-01T00:00:00Z");
  const open = await make(null, [needed]);
  expect(await retention.deleteSessions(CUTOFF)).toEqual([old]);
  expect(await retention.deleteSessions(CUTOFF)).toEqual([]);
  expect(await sessions.get(old)).toBeNull();
  expect(await createEventStore(database).readAfter(old, 0, 10)).toEqual([]);
  for (const id of [needed, young, open]) expect(await sessions.get(id)).toMatchObject({ id });

  const deliveries = createDeliveryStore(database);
  const delivery = {
    provider: "github",
    event: "ping",
    action: null,
    repository: null,
    sender: null,
    thread: null,
    payload: Buffer.from("{}"),
  };
  await deliveries.insert({ ...delivery, deliveryId: "1", receivedAt: "2026-05-01T00:00:00Z" });
  await deliveries.insert({ ...delivery, deliveryId: "2", receivedAt: "2026-07-01T00:00:00Z" });
  // What nobody has worked off yet is kept.
  expect(await retention.deleteDeliveries(CUTOFF)).toBe(0);
  await database.db.updateTable("deliveries").set({ state: "ignored" }).execute();
  expect(await retention.deleteDeliveries(CUTOFF)).toBe(1);
  expect(await deliveries.count()).toBe(1);
});

test("forgets old writes on the forge, but not what is done once for ever", async () => {
  await using own = await createTestDatabase(inject("databaseServer"));
  await using database = openDatabase({ url: own.url, maxConnections: 2 });
  const writes = createForgeWrites(database);
  for (const key of ["once", "old", "lost", "young"]) await writes.begin(key);
  await writes.done("once", { id: 0, url: "" });
  await writes.done("old", { id: 7, url: "there" });
  await sql`update forge_writes set begun_at = '2026-05-01' where key <> 'young'`.execute(
    database.db,
  );
  await sql`update forge_writes set begun_at = '2026-07-01' where key = 'young'`.execute(
    database.db,
  );
  expect(await createRetentionStore(database).deleteWrites(CUTOFF)).toBe(2);
  expect(await writes.begin("once")).toEqual({ id: 0, url: "" });
  expect(await writes.begin("young")).toBe("begun");
  expect(await writes.begin("old")).toBe("never");
});

test("forgets what was asked of sessions that are no more, but not what has not ended", async () => {
  await using own = await createTestDatabase(inject("databaseServer"));
  await using database = openDatabase({ url: own.url, maxConnections: 2 });
  const { db } = database;
  const threads = createThreadSessionStore(database);
  const begin = (cause: string, createdAt: string) =>
    threads.begin({
      sessionId: newId(),
      cause,
      repositoryId: 1,
      repository: "a/b",
      number: 1,
      kind: "work",
      asker: { id: 1, login: "ada" },
      source: { kind: "thread" },
      createdAt,
    });
  const old = await begin("old", "2026-05-01T00:00:00Z");
  await begin("live", "2026-05-01T00:00:00Z");
  const young = await begin("young", "2026-07-01T00:00:00Z");
  for (const { sessionId } of [old, young]) await threads.told(sessionId);
  const gate = { repository_id: 1, number: 1, repository: "a/b", armed_at: "2026-05-01" };
  await db
    .insertInto("review_gates")
    .values([
      { ...gate, sha: "ended", state: "done" },
      { ...gate, sha: "armed", state: "armed", due_at: "2026-05-02" },
    ])
    .execute();
  expect(await createRetentionStore(database).deleteTraces(CUTOFF)).toBe(2);
  expect((await threads.ofThread(1, 1, 10)).map(({ cause }) => cause).toSorted()).toEqual([
    "live",
    "young",
  ]);
  expect(await db.selectFrom("review_gates").select("sha").execute()).toEqual([{ sha: "armed" }]);
});
