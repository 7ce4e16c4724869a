import { HubError } from "../../core/errors.ts";

/** Lets `max` pieces of work run at once; `maxWaiting` more wait in order, the rest fail as `unavailable`. */
export interface Slots {
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createSlots(options: { max: number; maxWaiting: number }): Slots {
  let busy = 0;
  const waiting: (() => void)[] = [];

  return {
    async run(work) {
      if (busy < options.max) busy += 1;
      else {
        if (waiting.length >= options.maxWaiting)
          throw new HubError("unavailable", "Too many git requests", { retryAfterSeconds: 5 });
        // Whoever wakes us hands over its place, so `busy` does not change.
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) busy -= 1;
        else next();
      }
    },
  };
}
