import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { openDatabase } from "../database.ts";
import { createDeliveryStore } from "./deliveries.ts";
import type { Delivery } from "./deliveries.ts";

function delivery(deliveryId: string, more: Partial<Delivery> = {}): Delivery {
  return {
    provider: "github",
    deliveryId,
    event: "issue_comment",
    action: "created",
    repository: "octo/greeter",
    sender: "mona",
    thread: null,
    payload: Buffer.from('{"a":"\\u0000"}'),
    receivedAt: "2026-01-01T00:00:00.000Z",
    ...more,
  };
}

async function openTwo() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const [first, second] = [4, 4].map((maxConnections) =>
    parts.use(openDatabase({ url: own.url, maxConnections })),
  );
  if (first === undefined || second === undefined) throw new Error("two were opened");
  const all = parts.move();
  return {
    database: first,
    stores: [createDeliveryStore(first), createDeliveryStore(second)] as const,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

test("a delivery is stored as it came, and known when it comes again", async () => {
  await using two = await openTwo();
  const [store, other] = two.stores;
  expect(await store.insert(delivery("1"))).toBe(true);
  expect(await store.insert(delivery("1", { event: "ping" }))).toBe(false);
  expect(await other.insert(delivery("1"))).toBe(false);
  // Another forge may use the same id.
  expect(await store.insert(delivery("1", { provider: "gitlab" }))).toBe(true);
  const row = await two.database.db
    .selectFrom("deliveries")
    .selectAll()
    .where("provider", "=", "github")
    .executeTakeFirstOrThrow();
  expect(row).toMatchObject({ event: "issue_comment", repository: "octo/greeter", sender: "mona" });
  expect(row.payload).toEqual(delivery("1").payload);
});

test("of many that are the same, at two hubs at once, exactly one is new", async () => {
  await using two = await openTwo();
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      // In opposite orders, so that the hubs cross.
      const id = String(n % 2 === 0 ? n % 50 : 49 - (n % 50));
      return { id, fresh: await two.stores[n % 2 === 0 ? 0 : 1].insert(delivery(id)) };
    }),
  );
  const fresh = answers.filter((answer) => answer.fresh).map(({ id }) => id);
  expect(fresh.toSorted()).toEqual([...new Set(answers.map(({ id }) => id))].toSorted());
  expect(await two.stores[0].count()).toBe(fresh.length);
});

test("one that the database refuses fails alone, and the others are still new", async () => {
  await using two = await openTwo();
  const [store] = two.stores;
  const bad = delivery("bad", { sender: "a\u0000b" });
  const settled = await Promise.allSettled([
    ...Array.from({ length: 12 }, (_, n) => store.insert(delivery(String(n)))),
    store.insert(bad),
  ]);
  expect(settled.slice(0, 12)).toEqual(
    settled.slice(0, 12).map(() => ({ status: "fulfilled", value: true })),
  );
  expect(settled.at(-1)?.status).toBe("rejected");
  expect(await store.count()).toBe(12);
});

test("what failed is begun anew when it comes again; what was worked off is only counted", async () => {
  await using two = await openTwo();
  const [store] = two.stores;
  for (const id of ["1", "2"]) await store.insert(delivery(id));
  const { db } = two.database;
  await db.updateTable("deliveries").set({ state: "done", attempts: 1 }).execute();
  await db
    .updateTable("deliveries")
    .set({ state: "failed", attempts: 8, due_at: "2030-01-01" })
    .where("delivery_id", "=", "2")
    .execute();
  expect(await store.insert(delivery("1"))).toBe(false);
  expect(await store.insert(delivery("2"))).toBe(true);
  expect(await store.insert(delivery("2"))).toBe(false);
  await store.record(delivery("3", { event: "gollum" }), "nobody listens");
  await store.record(delivery("3", { event: "gollum" }), "nobody listens");
  const rows = await db
    .selectFrom("deliveries")
    .select(["delivery_id", "state", "outcome", "attempts", "due_at", "repeats"])
    .orderBy("delivery_id")
    .execute();
  expect(rows).toEqual([
    { delivery_id: "1", state: "done", outcome: null, attempts: 1, due_at: null, repeats: 1 },
    { delivery_id: "2", state: "waiting", outcome: null, attempts: 0, due_at: null, repeats: 2 },
    {
      delivery_id: "3",
      state: "ignored",
      outcome: "nobody listens",
      attempts: 0,
      due_at: null,
      repeats: 1,
    },
  ]);
});
