import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { openDatabase } from "../database.ts";
import { createDeliveryStore } from "./deliveries.ts";
import { createDeliveryLog } from "./delivery-log.ts";
import { createDeliveryQueue } from "./delivery-queue.ts";
import type { ClaimedDelivery } from "./delivery-queue.ts";

const AT = new Date("2026-01-01T00:00:00Z");
const LEASE_MS = 60_000;

async function open() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 4 }));
  const store = createDeliveryStore(database);
  const queue = createDeliveryQueue(database);
  const all = parts.move();
  return {
    database,
    queue,
    async put(deliveryId: string, thread: string | null) {
      await store.insert({
        provider: "github",
        deliveryId,
        event: "issue_comment",
        action: "created",
        repository: "octo/greeter",
        sender: "mona",
        thread,
        payload: Buffer.from(`{"id":"${deliveryId}"}`),
        receivedAt: AT.toISOString(),
      });
    },
    async claim(executorId: string, limit = 10, leaseMs = LEASE_MS) {
      return await queue.claim({ executorId, limit, leaseMs });
    },
    async finish(claimed: ClaimedDelivery, executorId: string) {
      await queue.finish(claimed, { executorId, state: "done", outcome: "done", at: AT });
    },
    async row(deliveryId: string) {
      return await database.db
        .selectFrom("deliveries")
        .selectAll()
        .where("delivery_id", "=", deliveryId)
        .executeTakeFirstOrThrow();
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function ids(claimed: ClaimedDelivery[]): string[] {
  return claimed.map(({ deliveryId }) => deliveryId);
}

test("those of one thread come one after the other, in their order; others do not wait for them", async () => {
  await using own = await open();
  for (const id of ["a1", "a2", "a3"]) await own.put(id, "a");
  await own.put("b1", "b");
  for (const id of ["n1", "n2"]) await own.put(id, null);
  const first = await own.claim("hub");
  expect(ids(first)).toEqual(["a1", "b1", "n1", "n2"]);
  expect(first[0]).toMatchObject({ attempts: 1, payload: Buffer.from('{"id":"a1"}') });
  expect(await own.claim("hub")).toEqual([]);
  for (const one of first) await own.finish(one, "hub");
  expect(await own.row("a1")).toMatchObject({ state: "done", outcome: "done", finished_at: AT });
  expect(ids(await own.claim("hub"))).toEqual(["a2"]);
});

test("two hubs never have the same one, nor the same thread", async () => {
  await using own = await open();
  await Promise.all(Array.from({ length: 60 }, (_, n) => own.put(`d${n}`, `t${n % 7}`)));
  const order = new Map<string, number[]>();
  const busy = new Set<string>();
  let left = 60;

  async function hub(executorId: string) {
    for (let turn = 0; turn < 500 && left > 0; turn += 1)
      for (const one of await own.claim(executorId, 3)) {
        const { thread } = await own.row(one.deliveryId);
        if (thread === null) throw new Error("each has a thread");
        expect(busy.has(thread)).toBe(false);
        busy.add(thread);
        order.set(thread, [...(order.get(thread) ?? []), one.number]);
        busy.delete(thread);
        await own.finish(one, executorId);
        left -= 1;
      }
  }
  await Promise.all([hub("one"), hub("two"), hub("three")]);
  expect(left).toBe(0);
  for (const numbers of order.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
});

test("what is put off waits until then, and its thread with it", async () => {
  await using own = await open();
  await own.put("a1", "a");
  await own.put("a2", "a");
  const [claimed] = await own.claim("hub");
  if (claimed === undefined) throw new Error("one waits");
  const later = { executorId: "hub", outcome: "the forge is away" };
  await own.queue.postpone(claimed, { ...later, dueAt: new Date(Date.now() + 3_600_000) });
  expect(await own.claim("hub")).toEqual([]);
  expect(await own.row("a1")).toMatchObject({ state: "waiting", outcome: "the forge is away" });
  await own.database.db.updateTable("deliveries").set({ due_at: AT }).execute();
  expect(await own.claim("hub")).toMatchObject([{ deliveryId: "a1", attempts: 2 }]);
});

test("a claim that ran out is somebody else's, and its first owner changes nothing any more", async () => {
  await using own = await open();
  await own.put("a1", "a");
  const [lost] = await own.claim("one", 1, 0);
  const [taken] = await own.claim("two");
  if (lost === undefined || taken === undefined) throw new Error("both claimed it");
  await own.finish(lost, "one");
  await own.queue.postpone(lost, { executorId: "one", outcome: "late", dueAt: AT });
  expect(await own.row("a1")).toMatchObject({ state: "waiting", claimed_by: "two", outcome: null });
  await own.finish(taken, "two");
  expect(await own.row("a1")).toMatchObject({ state: "done" });
});

test("a hub that comes back takes up at once what it had claimed", async () => {
  await using own = await open();
  for (const id of ["a1", "b1"]) await own.put(id, id);
  expect(await own.claim("one", 1)).toHaveLength(1);
  expect(ids(await own.claim("two"))).toEqual(["b1"]);
  await own.queue.release("one");
  expect(ids(await own.claim("one"))).toEqual(["a1"]);
});

test("what is put back comes before what waits on its thread, and not beside what is at work there", async () => {
  await using own = await open();
  const log = createDeliveryLog(own.database);
  for (const id of ["a1", "a2", "a3"]) await own.put(id, "a");
  const [first] = await own.claim("hub");
  if (first === undefined) throw new Error("one waits");
  expect(await log.replay(first.number)).toBe(false);
  await own.finish(first, "hub");
  const [second] = await own.claim("hub");
  if (second === undefined) throw new Error("one waits");
  expect(await log.replay(first.number)).toBe(true);
  expect(await log.replay(first.number)).toBe(false);
  expect(await own.claim("other")).toEqual([]);
  await own.finish(second, "hub");
  expect(ids(await own.claim("other"))).toEqual(["a1"]);
});
