import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";

/** Runs `work` at once and then again, with pauses in between; a failure is logged and the next run is the retry. */
export function repeatedly(options: {
  name: string;
  everyMs: number;
  work(): Promise<void>;
  signal: AbortSignal;
  log: Logger;
}): AsyncDisposable {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const running = (async () => {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await options.work();
        failures = 0;
      } catch (error) {
        failures += 1;
        // Once for each time of trouble; afterwards only every hundredth time.
        const level = failures % 100 === 1 ? "error" : "debug";
        if (!signal.aborted)
          options.log[level]({ err: error, work: options.name, failures }, "upkeep failed");
      }
      await pause(options.everyMs, undefined, { signal }).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
