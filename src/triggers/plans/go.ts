import { HubError } from "../../core/errors.ts";
import { say } from "../order.ts";
import type { Order } from "../order.ts";
import type { Outcome } from "../worker.ts";
import { openPlans } from "./open.ts";

/**
 * Has the plan of an issue carried out: the version that the bot's comment shows, since nobody has read another one. Null: no
 * plan waits there.
 */
export async function approvePlan(order: Order): Promise<Outcome | null> {
  const { deps, event, heard } = order;
  const [newest] = await openPlans(deps, event.number, event.repository.id);
  if (newest === undefined) return null;
  const { thread, view } = newest;
  const atWork = { state: "done", outcome: `orchestration ${view.id} is at work` } as const;
  if (view.state === "running") return atWork;
  if (view.state !== "proposed" || thread.shownVersion === 0)
    return await say(order, "The plan is not there yet. Read it in my comment, and say `go` then.");
  if (heard.instruction !== "")
    return await say(
      order,
      "Say `go` alone to have the plan done as it stands, or `plan` and what should be different.",
    );
  try {
    await deps.plans.approve(view.id, thread.shownVersion);
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== "conflict") throw error;
    return await say(order, "The plan was changed meanwhile. Read it again, and say `go` then.");
  }
  deps.onAsked();
  return atWork;
}
