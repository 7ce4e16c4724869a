import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { HubError } from "../../core/errors.ts";
import { kindOf } from "./turns.ts";
import type { Turns } from "./turns.ts";

/** Between tries of a read that failed on GitHub's side. */
const READ_PAUSES_MS = [300, 1_200];

/**
 * Asks GitHub when it is the request's turn. Reads that fail on GitHub's side are tried again, as long as one answer may
 * take; nothing else is, as nobody knows what became of it.
 *
 * @param options.turns Null: nothing is waited for.
 * @returns With `about`, what a sign is put on: see `Turns`.
 */
export function createAsking(options: { turns: Turns | null; timeoutMs: number; log: Logger }) {
  const { turns, timeoutMs, log } = options;

  return async <T>(
    account: string,
    route: string,
    ask: () => Promise<T>,
    about?: string,
  ): Promise<T> => {
    const kind = kindOf(route);
    const told = async () => {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof HubError && error.code === "rate_limited")
          log.warn({ account, route, seconds: error.retryAfterSeconds }, "github asks for a pause");
        throw error;
      }
    };
    const work = async () =>
      turns === null ? await told() : await turns.run(account, kind, told, about);
    const endsAt = performance.now() + timeoutMs;
    for (const pauseMs of kind === "read" ? READ_PAUSES_MS : [])
      try {
        return await work();
      } catch (error) {
        if (!isOutage(error) || performance.now() + pauseMs > endsAt) throw error;
        log.debug({ route, err: error }, "github is asked once more");
        await pause(pauseMs);
      }
    return await work();
  };
}

/** Nothing was answered, or what a server in trouble answers. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof HubError) || error.code !== "upstream_failed") return false;
  const { success, data } = Answered.safeParse(error.cause);
  return !success || data.status >= 500;
}

const Answered = z.object({ status: z.int(), response: z.object() });
