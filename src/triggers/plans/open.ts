import { ifFound } from "../../core/errors.ts";
import { isOver } from "../../core/orchestration.ts";
import type { OrchestrationView } from "../../core/orchestration.ts";
import type { ThreadPlan } from "../../store/threads/thread-plans.ts";
import type { TriggerDeps } from "../deps.ts";
import type { Plans } from "./deps.ts";

const KNOWN_PLANS = 50;

/** A plan of a thread, and how it stands. */
export interface OpenPlan {
  thread: ThreadPlan;
  view: OrchestrationView;
}

/** Plans of a thread that have not ended, the newest first. */
export async function openPlans(
  { threadPlans, plans }: Pick<TriggerDeps, "threadPlans" | "plans">,
  number: number,
  repositoryId: number,
): Promise<OpenPlan[]> {
  const all = await threadPlans.ofThread(repositoryId, number, KNOWN_PLANS);
  const open: OpenPlan[] = [];
  for (const thread of all.filter(({ state }) => state === "live")) {
    const view = await planOf(plans, thread);
    if (view !== null && !isOver(view.state)) open.push({ thread, view });
  }
  return open;
}

/** Null: it was never made, or has been deleted after its time. */
export async function planOf(
  plans: Pick<Plans, "get">,
  { orchestrationId }: Pick<ThreadPlan, "orchestrationId">,
): Promise<OrchestrationView | null> {
  return await ifFound(plans.get(orchestrationId));
}
