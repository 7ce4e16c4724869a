import { unavailable } from "../core/errors.ts";
import { isUnavailable } from "./failure.ts";

/**
 * Group commit: callers that come while a batch is on its way are gathered into the next one, so that many durable
 * writes share one commit. Nobody waits for a timer. A batch that the database refuses is run again one item at a
 * time, so that a bad item fails alone.
 *
 * @param run Gets 1 to `maxItems` items, answers as many results in the same order. It does all or nothing: what it
 *   has done when it throws is done again.
 * @param sizes The only numbers of items that it takes, the largest first and 1 among them; any, when left out.
 * @param maxWaiting Callers beyond this many fail at once as `unavailable`.
 */
export function createBatch<Item, Result>(options: {
  run(items: Item[]): Promise<Result[]>;
  maxItems: number;
  sizes?: readonly number[];
  maxWaiting: number;
  lanes?: number;
}): (item: Item) => Promise<Result> {
  interface Waiting {
    item: Item;
    resolve(result: Result): void;
    reject(error: unknown): void;
  }
  const waiting: Waiting[] = [];
  let busyLanes = 0;

  async function runBatch(batch: Waiting[]): Promise<void> {
    try {
      const results = await options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result === undefined) reject(new Error("a batch answered too few results"));
        else resolve(result);
      });
    } catch (error) {
      if (batch.length === 1 || isUnavailable(error)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await runBatch([one]);
    }
  }

  function nextSize(): number {
    const most = Math.min(waiting.length, options.maxItems);
    return options.sizes?.find((size) => size <= most) ?? (options.sizes === undefined ? most : 1);
  }

  async function work(): Promise<void> {
    busyLanes += 1;
    while (waiting.length > 0) await runBatch(waiting.splice(0, nextSize()));
    busyLanes -= 1;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= options.maxWaiting) {
        reject(unavailable("database"));
        return;
      }
      waiting.push({ item, resolve, reject });
      // The microtask lets callers of the same tick share the first batch.
      if (busyLanes < (options.lanes ?? 1))
        queueMicrotask(() => void (busyLanes < (options.lanes ?? 1) && work()));
    });
}
