import { setTimeout as pause } from "node:timers/promises";

export interface WaitOptions {
  timeoutMs?: number;
  intervalMs?: number;
  /** What is being waited for; stands in the error. */
  what?: string;
}

/**
 * Polls until `probe` gives something other than undefined, null or false, and returns that. A probe that throws counts
 * as "not yet"; its last error is the cause of the one thrown when the time is up.
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20, what = "the condition" }: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const end = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (isPresent(value)) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
    }
    await pause(intervalMs);
  }
}

function isPresent<T>(value: T): value is Exclude<T, undefined | null | false> {
  return value !== undefined && value !== null && value !== false;
}
