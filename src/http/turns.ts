import { HubError } from "../core/errors.ts";

/** Work of which only so much is done at once; who comes when there is no room is told to come again. */
export interface Turns {
  take<T>(work: () => Promise<T>): Promise<T>;
}

const RETRY_AFTER_SECONDS = 10;

/** @param what As it is told: `large deliveries`. */
export function createTurns(max: number, what: string): Turns {
  let taken = 0;
  return {
    async take(work) {
      if (taken >= max)
        throw new HubError("unavailable", `Too many ${what} at once`, {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      taken += 1;
      try {
        return await work();
      } finally {
        taken -= 1;
      }
    },
  };
}
