import { HubError } from "../core/errors.ts";
import type { TriggerDeps } from "./deps.ts";
import type { ThreadEvent } from "./payload.ts";
import type { Outcome } from "./worker.ts";

const KNOWN_SESSIONS = 50;

/** Work on what has been closed is ended. */
export async function onClosed(deps: TriggerDeps, event: ThreadEvent): Promise<Outcome> {
  const count = await stopAll(deps, event);
  if (count === 0) return { state: "ignored", outcome: "nothing was at work on it" };
  return { state: "done", outcome: `${count} sessions are ended, since it was closed` };
}

/** Ends what is at work on a thread. Answers how many sessions that are. */
export async function stopAll(
  deps: TriggerDeps,
  { repository, number }: ThreadEvent,
): Promise<number> {
  const all = await deps.threads.ofThread(repository.id, number, KNOWN_SESSIONS);
  let count = 0;
  for (const { sessionId, state } of all)
    if (state === "live") count += await stop(deps, sessionId);
  return count;
}

async function stop(deps: TriggerDeps, sessionId: string): Promise<number> {
  try {
    await deps.sessions.cancel(sessionId);
    return 1;
  } catch (error) {
    // It has ended meanwhile, or was never made.
    if (error instanceof HubError && (error.code === "conflict" || error.code === "not_found"))
      return 0;
    throw error;
  }
}
