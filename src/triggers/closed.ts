import { HubError } from "../core/errors.ts";
import type { TriggerDeps } from "./deps.ts";
import { isAboutThread } from "./payload.ts";
import type { ThreadEvent } from "./payload.ts";
import type { Rule } from "./rule.ts";

const KNOWN_SESSIONS = 50;

/** Work on what has been closed is ended. */
export const closedRule: Rule = {
  name: "closed",
  async decide(deps, _repository, event) {
    if (event.action !== "closed" || !isAboutThread(event)) return null;
    const live = await liveOf(deps, event);
    if (live.length === 0) return "nothing was at work on it";
    return {
      would: `ends ${live.length} sessions, since it was closed`,
      async act() {
        const count = await stopAll(deps, event);
        return { state: "done", outcome: `${count} sessions are ended, since it was closed` };
      },
    };
  },
};

/** Ends what was asked for on a thread. Answers how many sessions that are. */
export async function stopAll(deps: TriggerDeps, event: ThreadEvent): Promise<number> {
  let count = 0;
  for (const { sessionId } of await liveOf(deps, event)) count += await stop(deps, sessionId);
  return count;
}

async function liveOf({ threads }: TriggerDeps, { repository, number }: ThreadEvent) {
  const all = await threads.ofThread(repository.id, number, KNOWN_SESSIONS);
  return all.filter(({ state }) => state === "live");
}

/** Answers 1, or 0 when it has ended already. */
export async function stop(
  deps: Pick<TriggerDeps, "sessions">,
  sessionId: string,
): Promise<number> {
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
