import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { rateLimited } from "../core/errors.ts";

const MINUTE_S = 60;

/** Counts what somebody does in a minute; throws `rate_limited` beyond the limit. */
export type Rate = (key: string) => Promise<void>;

export function createRate(perMinute: number): Rate {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: MINUTE_S });
  return async (key) => {
    try {
      await limiter.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw rateLimited(Math.max(1, Math.ceil(error.msBeforeNext / 1_000)));
    }
  };
}
