import { HubError } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";

/** One request's body in the hub's memory, until it is disposed. */
export interface HeldBody extends Disposable {
  /** Throws `rate_limited` when the session would then hold too much. */
  grow(bytes: number): void;
}

/** Counts the bodies that sessions have in the hub's memory: no session may use it up for all. */
export function createHeld(maxBytes: number): { open(sessionId: Id): HeldBody } {
  const held = new Map<Id, number>();

  return {
    open(sessionId) {
      let own = 0;
      return {
        grow(bytes) {
          const total = (held.get(sessionId) ?? 0) + bytes;
          if (total > maxBytes)
            throw new HubError("rate_limited", "Too many model calls at once", {
              retryAfterSeconds: 5,
            });
          own += bytes;
          held.set(sessionId, total);
        },
        [Symbol.dispose]() {
          const left = (held.get(sessionId) ?? 0) - own;
          own = 0;
          if (left <= 0) held.delete(sessionId);
          else held.set(sessionId, left);
        },
      };
    },
  };
}
