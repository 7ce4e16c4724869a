/** Bounds of the git door and its mirrors. */
export interface GitLimits {
  /** A read is served from a mirror that was compared with the forge at most this long ago. */
  mirrorMaxAgeMs: number;
  /** Requests of sandboxes that may have git processes at the same time, and how many more may wait for it. */
  maxChildren: number;
  maxWaiting: number;
  /** The part of those two that one session may take. */
  maxShare: number;
  /** Fetches from the forge at the same time. */
  maxFetches: number;
  /** One answer of the forge to "which refs do you have". */
  listTimeoutMs: number;
  maxListBytes: number;
  /** One fetch from, or push to, the forge; also the time that one fetch of a sandbox may take. */
  transferTimeoutMs: number;
  /** Any other git process. */
  commandTimeoutMs: number;
  /** A lock file in a mirror that is older was left by a killed process. */
  staleLockMs: number;
  /** A mirror with more packs than this is compacted. */
  maxPacks: number;
  /** What one clone or fetch may ask (want and have lines), unzipped. */
  maxFetchRequestBytes: number;
  maxPushBytes: number;
  maxPushRefs: number;
}

export const GIT_LIMITS: GitLimits = {
  mirrorMaxAgeMs: 3_000,
  maxChildren: 8,
  maxWaiting: 256,
  maxShare: 0.25,
  maxFetches: 4,
  listTimeoutMs: 30_000,
  maxListBytes: 64 * 1024 * 1024,
  transferTimeoutMs: 600_000,
  commandTimeoutMs: 60_000,
  staleLockMs: 10_000,
  maxPacks: 40,
  maxFetchRequestBytes: 16 * 1024 * 1024,
  maxPushBytes: 256 * 1024 * 1024,
  maxPushRefs: 16,
};
