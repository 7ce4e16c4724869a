import { HubError } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import { startRounds } from "../events/rounds.ts";
import type { ThreadSession } from "../store/threads/thread-sessions.ts";
import type { Pace } from "./report/pace.ts";
import { NO_PROGRESS } from "./report/progress.ts";
import { pauseAfter } from "./report/put-off.ts";
import { tell } from "./report/tell.ts";
import type { TellDeps, Told } from "./report/tell.ts";

export interface ReporterDeps extends TellDeps {
  settings: TellDeps["settings"] & { leaseMs: number; pollMs: number };
  /** Of all that is written. */
  pace: Pace;
  executorId: string;
}

/** Tells on the forge what becomes of sessions that were asked for there, until it is disposed of. */
export interface Reporter extends AsyncDisposable {
  /** Says that there is something new. */
  ring(): void;
}

const LIVE = 200;

export async function startReporter(deps: ReporterDeps): Promise<Reporter> {
  const { threads, pace, executorId, settings, clock, log } = deps;
  const known = new Map<Id, Told & { failures: number; notBefore: number }>();
  await threads.release(executorId);

  async function look(signal: AbortSignal): Promise<void> {
    const { leaseMs } = settings;
    const live = await threads.claimLive({ executorId, leaseMs, limit: LIVE });
    const ids = new Set(live.map(({ sessionId }) => sessionId));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    for (const thread of live) {
      if (signal.aborted) return;
      const told = known.get(thread.sessionId) ?? {
        progress: NO_PROGRESS,
        failures: 0,
        notBefore: 0,
      };
      known.set(thread.sessionId, told);
      if (told.notBefore > clock.now().getTime()) continue;
      try {
        // Others before it may have taken long.
        if (!(await threads.hold(thread.sessionId, { executorId, leaseMs }))) continue;
        await tell(deps, pace, live.length, thread, told);
        told.failures = 0;
      } catch (error) {
        await putOff(thread, told, error);
      }
    }
  }

  async function putOff(
    thread: ThreadSession,
    told: { failures: number; notBefore: number },
    error: unknown,
  ): Promise<void> {
    const { sessionId } = thread;
    if (error instanceof HubError && !error.retryable) {
      // The thread is gone, locked, takes no more, or is not for the bot any more: nobody is there to be told.
      log.warn({ err: error, sessionId }, "nobody can be told of a session");
      await threads.told(sessionId);
      return;
    }
    told.failures += 1;
    told.notBefore = clock.now().getTime() + pauseAfter(told.failures, error);
    log.warn({ err: error, sessionId, failures: told.failures }, "a session could not be told of");
  }

  return startRounds({
    round: look,
    pollMs: settings.pollMs,
    failed: "sessions could not be told of",
    log,
  });
}
