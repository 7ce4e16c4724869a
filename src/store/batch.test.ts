import { expect, test } from "vitest";
import { waitFor } from "../../test/kit/wait.ts";
import { unavailable } from "../core/errors.ts";
import { createBatch } from "./batch.ts";

/** A batch whose runs wait until they are let go. */
function gated(options: { maxItems?: number; maxWaiting?: number; sizes?: number[] } = {}) {
  const runs: number[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const add = createBatch<number, number>({
    maxItems: options.maxItems ?? 10,
    maxWaiting: options.maxWaiting ?? 100,
    ...(options.sizes === undefined ? {} : { sizes: options.sizes }),
    async run(items) {
      runs.push(items);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return items.map((item) => item * 2);
    },
  });
  return {
    runs,
    add,
    async letGo() {
      (await waitFor(() => gates.shift(), { intervalMs: 1, what: "the next run" })).resolve();
    },
  };
}

test("those of one tick share a batch, those that come meanwhile the next one", async () => {
  const { runs, add, letGo } = gated({ maxItems: 3 });
  const first = [add(1), add(2)];
  await letGo();
  expect(await Promise.all(first)).toEqual([2, 4]);

  const busy = add(3);
  await Promise.resolve();
  const later = [4, 5, 6, 7].map((item) => add(item));
  for (let run = 0; run < 3; run += 1) await letGo();
  expect(await busy).toBe(6);
  expect(await Promise.all(later)).toEqual([8, 10, 12, 14]);
  expect(runs).toEqual([[1, 2], [3], [4, 5, 6], [7]]);
});

test("where only some sizes are allowed, the largest that can be filled is taken", async () => {
  const { runs, add, letGo } = gated({ sizes: [4, 2, 1] });
  const all = [1, 2, 3, 4, 5, 6, 7].map((item) => add(item));
  for (let run = 0; run < 3; run += 1) await letGo();
  expect(await Promise.all(all)).toEqual([2, 4, 6, 8, 10, 12, 14]);
  expect(runs).toEqual([[1, 2, 3, 4], [5, 6], [7]]);
});

test("a bad item fails alone", async () => {
  const runs: number[][] = [];
  const add = createBatch<number, number>({
    maxItems: 10,
    maxWaiting: 100,
    run(items) {
      runs.push(items);
      if (items.includes(13)) throw new Error("unlucky");
      return Promise.resolve(items);
    },
  });
  const settled = await Promise.allSettled([12, 13, 14].map((item) => add(item)));
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(runs).toEqual([[12, 13, 14], [12], [13], [14]]);
  // It goes on afterwards.
  expect(await add(1)).toBe(1);
});

test("when the database is away all fail at once, and nothing is tried one by one", async () => {
  let runs = 0;
  const add = createBatch<number, number>({
    maxItems: 10,
    maxWaiting: 100,
    run() {
      runs += 1;
      return Promise.reject(unavailable("database"));
    },
  });
  const settled = await Promise.allSettled([1, 2, 3].map((item) => add(item)));
  for (const one of settled)
    expect(one).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
  expect(runs).toBe(1);
});

test("beyond the bound callers fail at once, and the others are served", async () => {
  const { add, letGo } = gated({ maxItems: 2, maxWaiting: 2 });
  const accepted = [add(1), add(2)];
  await expect(add(3)).rejects.toMatchObject({ code: "unavailable" });
  await letGo();
  expect(await Promise.all(accepted)).toEqual([2, 4]);
});

test("too few results fail whom they leave out", async () => {
  const add = createBatch<number, number>({
    maxItems: 10,
    maxWaiting: 100,
    run: (items) => Promise.resolve(items.slice(0, 1)),
  });
  const settled = await Promise.allSettled([add(1), add(2)]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

test("lanes run side by side", async () => {
  let running = 0;
  let most = 0;
  const add = createBatch<number, number>({
    maxItems: 1,
    maxWaiting: 100,
    lanes: 2,
    async run(items) {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return items;
    },
  });
  expect(await Promise.all([1, 2, 3, 4, 5].map((item) => add(item)))).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});
