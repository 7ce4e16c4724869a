import type { Id } from "../../core/id.ts";
import { createBell } from "../../events/bell.ts";
import type { SessionDeps } from "../deps.ts";

/**
 * Looks at once, and again whenever there is something to tell the session's runner, until `look` finds something; null
 * when `waitMs` have passed or `signal` aborts.
 */
export async function whenTold<Found>(
  deps: SessionDeps,
  id: Id,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
  look: () => Promise<Found | null>,
): Promise<Found | null> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  const bell = createBell(until);
  const stopListening = deps.notifications.on("claude_hub_commands", (sessionId) => {
    if (sessionId === null || sessionId === id) bell.ring();
  });
  try {
    for (;;) {
      const found = await look();
      if (found !== null || until.aborted) return found;
      await bell.rung();
    }
  } finally {
    stopListening();
    bell.close();
  }
}
