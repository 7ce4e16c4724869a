import { setTimeout as pause } from "node:timers/promises";
import { HubAway, HubRefusal } from "../../client/refusal.ts";

const RETRY_MS = 2_000;
/** After so long the hub counts as gone. */
const GIVE_UP_MS = 5 * 60_000;

/**
 * For what is repeated for long: a hub that is away, or says that it cannot just now, is asked again, so that it may be
 * restarted meanwhile. The work has to bear being done twice. Null: interrupted.
 */
export function createPatience(signal: AbortSignal) {
  return async <Result>(work: () => Promise<Result>): Promise<Result | null> => {
    const end = performance.now() + GIVE_UP_MS;
    while (!signal.aborted)
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error) || performance.now() > end) throw error;
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    return null;
  };
}

function isPassing(error: unknown): boolean {
  if (error instanceof HubAway) return true;
  return error instanceof HubRefusal && [429, 502, 503].includes(error.status);
}
