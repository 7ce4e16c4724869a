import type { Logger } from "pino";
import { HubError } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import { startRounds } from "../../events/rounds.ts";
import type { Rounds } from "../../events/rounds.ts";
import type { ThreadPlan } from "../../store/threads/thread-plans.ts";
import type { Pace } from "../report/pace.ts";
import { pauseAfter } from "../report/put-off.ts";
import { tellPlan } from "./tell.ts";
import type { TellPlanDeps } from "./tell.ts";

const LIVE = 200;

/** Tells on the forge what becomes of plans that were asked for there, until it is disposed of. */
export async function startPlanTeller(
  deps: TellPlanDeps & {
    pace: Pace;
    settings: { leaseMs: number; pollMs: number };
    executorId: string;
    log: Logger;
  },
): Promise<Rounds> {
  const { threadPlans, pace, executorId, clock, log } = deps;
  const { leaseMs, pollMs } = deps.settings;
  const put = new Map<Id, { failures: number; notBefore: number }>();
  await threadPlans.release(executorId);

  async function look(signal: AbortSignal): Promise<void> {
    const live = await threadPlans.claimLive({ executorId, leaseMs, limit: LIVE });
    for (const thread of live) {
      if (signal.aborted) return;
      const { orchestrationId: id } = thread;
      if ((put.get(id)?.notBefore ?? 0) > clock.now().getTime()) continue;
      try {
        // Others before it may have taken long.
        if (!(await threadPlans.hold(id, { executorId, leaseMs }))) continue;
        await tellPlan(deps, pace, live.length, thread);
        put.delete(id);
      } catch (error) {
        await putOff(thread, error);
      }
    }
  }

  async function putOff({ orchestrationId: id }: ThreadPlan, error: unknown): Promise<void> {
    if (error instanceof HubError && !error.retryable) {
      // The thread is gone, locked, takes no more, or is not for the bot any more: nobody is there to be told.
      log.warn({ err: error, orchestrationId: id }, "nobody can be told of a plan");
      await threadPlans.told(id);
      put.delete(id);
      return;
    }
    const failures = (put.get(id)?.failures ?? 0) + 1;
    put.set(id, { failures, notBefore: clock.now().getTime() + pauseAfter(failures, error) });
    log.warn({ err: error, orchestrationId: id, failures }, "a plan could not be told of");
  }

  return startRounds({ round: look, pollMs, failed: "plans could not be told of", log });
}
