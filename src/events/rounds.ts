import type { Logger } from "pino";
import { createBell } from "./bell.ts";

/** Something that is looked at again and again, one look after the other, until it is disposed of. */
export interface Rounds extends AsyncDisposable {
  /** Says that there is something new; a round that is under way is followed by another one. */
  ring(): void;
}

/** A round that fails is logged, and the next one comes all the same. */
export function startRounds(options: {
  /** @param signal Aborted when the hub ends: what can be left to the next hub is left. */
  round(signal: AbortSignal): Promise<void>;
  /** How often it looks for itself: for what another hub took in, and for what was put off. */
  pollMs: number;
  /** What is logged of a round that fails. */
  failed: string;
  log: Logger;
}): Rounds {
  const { round, pollMs, failed, log } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const bell = createBell(signal);
  const timer = setInterval(() => bell.ring(), pollMs).unref();
  const running = (async () => {
    while (!signal.aborted) {
      try {
        await round(signal);
      } catch (error) {
        // What fails because the hub ends is not a failure.
        if (!signal.aborted) log.error({ err: error }, failed);
      }
      await bell.rung();
    }
  })();
  return {
    ring: () => bell.ring(),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      closing.abort();
      await running;
      bell.close();
    },
  };
}
