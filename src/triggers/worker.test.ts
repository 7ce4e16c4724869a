import pino from "pino";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../test/kit/hub/database.ts";
import { waitFor } from "../../test/kit/wait.ts";
import { systemClock } from "../core/clock.ts";
import { forbidden, upstreamFailed } from "../core/errors.ts";
import { openDatabase } from "../store/database.ts";
import { createDeliveryStore } from "../store/deliveries/deliveries.ts";
import { createDeliveryQueue } from "../store/deliveries/delivery-queue.ts";
import type { ClaimedDelivery } from "../store/deliveries/delivery-queue.ts";
import { startDeliveryWorker } from "./worker.ts";
import type { Outcome, WorkerSettings } from "./worker.ts";

const DONE: Outcome = { state: "done", outcome: "a session was begun" };

async function openHub() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 4 }));
  const store = createDeliveryStore(database);
  const all = parts.move();
  return {
    async put(deliveryId: string, thread: string | null = null) {
      await store.insert({
        provider: "github",
        deliveryId,
        event: "issues",
        action: null,
        repository: null,
        sender: null,
        thread,
        payload: Buffer.from("{}"),
        receivedAt: new Date().toISOString(),
      });
    },
    async work(
      handle: (delivery: ClaimedDelivery) => Promise<Outcome>,
      settings: Partial<WorkerSettings> = {},
    ) {
      return await startDeliveryWorker({
        queue: createDeliveryQueue(database),
        executorId: "hub",
        handle,
        settings: { lanes: 4, leaseMs: 60_000, attempts: 3, pollMs: 20, ...settings },
        clock: systemClock,
        log: pino({ enabled: false }),
      });
    },
    async row(deliveryId: string) {
      return await database.db
        .selectFrom("deliveries")
        .select(["state", "outcome", "attempts", "due_at"])
        .where("delivery_id", "=", deliveryId)
        .executeTakeFirstOrThrow();
    },
    /** As if the pause were over. */
    async skipPause() {
      await database.db
        .updateTable("deliveries")
        .set({ due_at: new Date(0) })
        .execute();
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

test("deliveries are worked off when they come, no more at a time than there are lanes", async () => {
  await using hub = await openHub();
  let [atWork, most] = [0, 0];
  await using worker = await hub.work(
    async () => {
      most = Math.max(most, (atWork += 1));
      await new Promise((resolve) => setImmediate(resolve));
      atWork -= 1;
      return DONE;
    },
    { lanes: 2, pollMs: 3_600_000 },
  );
  await Promise.all(Array.from({ length: 20 }, (_, n) => hub.put(String(n))));
  worker.ring();
  await waitFor(async () => (await hub.row("19")).state === "done");
  for (let n = 0; n < 20; n += 1)
    await waitFor(async () => (await hub.row(String(n))).outcome === DONE.outcome);
  expect(most).toBe(2);
});

test("what may pass is tried again later; what is refused is not", async () => {
  await using hub = await openHub();
  const errors: Record<string, unknown> = {
    away: upstreamFailed("forge", new Error("502")),
    refused: forbidden("the bot may not write there"),
    broken: new TypeError("a secret of the inside"),
  };
  for (const id of Object.keys(errors)) await hub.put(id);
  await using _ = await hub.work(({ deliveryId }) => Promise.reject(errors[deliveryId]));
  await waitFor(async () => (await hub.row("refused")).state === "failed");
  expect(await hub.row("refused")).toMatchObject({ outcome: "the bot may not write there" });
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    await waitFor(async () => {
      const rows = await Promise.all([hub.row("away"), hub.row("broken")]);
      return rows.every((row) => row.attempts === attempt && row.outcome !== null);
    });
    if (attempt === 3) break;
    await waitFor(async () => {
      const rows = await Promise.all([hub.row("away"), hub.row("broken")]);
      return rows.every((row) => (row.due_at?.getTime() ?? 0) > Date.now());
    });
    await hub.skipPause();
  }
  await waitFor(async () => (await hub.row("away")).state === "failed");
  await waitFor(async () => (await hub.row("broken")).state === "failed");
  expect((await hub.row("broken")).outcome).toMatch(/^something went wrong \(reference \w+\)$/);
});

test("what a hub was at when it ended is begun again by the next one", async () => {
  await using hub = await openHub();
  await hub.put("1");
  const begun = Promise.withResolvers<void>();
  {
    await using _ = await hub.work(async () => {
      begun.resolve();
      return await new Promise(() => undefined);
    });
    await begun.promise;
  }
  expect(await hub.row("1")).toMatchObject({ state: "waiting", attempts: 1 });
  await using _ = await hub.work(() => Promise.resolve(DONE));
  await waitFor(async () => (await hub.row("1")).state === "done");
});
