import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { rateLimited } from "../core/errors.ts";

const MINUTE_S = 60;
/** Callers are counted in this many buckets, so that a flood of addresses cannot fill the memory. */
const BUCKETS = 65_536;

/** Counts what somebody does in a minute. */
export interface Rate {
  /** Counts one more; throws `rate_limited` beyond the limit. */
  spend(key: string): Promise<void>;
  /** Counts nothing; throws `rate_limited` when the limit is used up. */
  check(key: string): Promise<void>;
}

/** @param what Is told to who goes beyond the limit. */
export function createRate(perMinute: number, what: Parameters<typeof rateLimited>[0]): Rate {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: MINUTE_S });
  // Nobody can know who shares a bucket with whom.
  const seed = Math.floor(Math.random() * 2 ** 32);

  function refuse({ msBeforeNext }: RateLimiterRes): never {
    throw rateLimited(what, Math.max(1, Math.ceil(msBeforeNext / 1_000)));
  }

  return {
    async spend(key) {
      try {
        await limiter.consume(bucketOf(key, seed));
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        refuse(error);
      }
    },
    async check(key) {
      const state = await limiter.get(bucketOf(key, seed));
      if (state !== null && state.consumedPoints >= perMinute) refuse(state);
    },
  };
}

/** FNV-1a. */
function bucketOf(key: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < key.length; at += 1)
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193) >>> 0;
  return (hash ^ (hash >>> 16)) % BUCKETS;
}
