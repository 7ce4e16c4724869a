import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Id } from "../../core/id.ts";
import type { Usage } from "../../core/session.ts";

/** One call of a model, after its end. */
export interface ModelCall {
  sessionId: Id;
  model: string;
  usage: Usage;
  /** The API's status; 499 when the client left before there was one, 502 when the API was not reached. */
  status: number;
  durationMs: number;
}

/** Writes down what calls have cost. */
export interface Settlements {
  /** Returns at once; `done` is called when the call is recorded, so that its share of the budget is held until then. */
  settle(call: ModelCall, done: () => void): void;
  idle(): Promise<void>;
}

/** The database may be away for some seconds; a call that was paid for is not forgotten for that. */
const RETRY_DELAYS_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];

export function createSettlements(options: {
  /** Adds the call to what the session has used. */
  onCall(call: ModelCall): Promise<void>;
  log: Logger;
}): Settlements {
  const open = new Set<Promise<void>>();

  async function record(call: ModelCall): Promise<void> {
    for (const delayMs of [...RETRY_DELAYS_MS, null])
      try {
        await options.onCall(call);
        return;
      } catch (error) {
        if (delayMs !== null) await sleep(delayMs);
        else options.log.error({ err: error, call }, "model call could not be recorded");
      }
  }

  return {
    settle(call, done) {
      const settlement = record(call).finally(() => {
        open.delete(settlement);
        done();
      });
      open.add(settlement);
    },
    async idle() {
      await Promise.all(open);
    },
  };
}
