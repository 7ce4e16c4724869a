import { HubError } from "../../core/errors.ts";
import { COMMENTS_SHOWN } from "../ask.ts";
import { say } from "../order.ts";
import type { Order } from "../order.ts";
import type { Outcome } from "../worker.ts";
import { openPlans } from "./open.ts";
import type { OpenPlan } from "./open.ts";
import { planComment } from "./plan-comment.ts";

/**
 * Has the plan of an issue carried out: the version that the bot's comment shows, since nobody has read another one. Null: no
 * plan waits there.
 */
export async function approvePlan(order: Order): Promise<Outcome | null> {
  const { deps, event, heard } = order;
  const [newest] = await openPlans(deps, event.number, event.repository.id);
  if (newest === undefined) return null;
  const { view } = newest;
  const atWork = { state: "done", outcome: `orchestration ${view.id} is at work` } as const;
  if (view.state === "running") return atWork;
  const version = await shownVersion(order, newest);
  if (version === 0)
    return await say(order, "The plan is not there yet. Read it in my comment, and say `go` then.");
  if (heard.instruction !== "")
    return await say(
      order,
      "Say `go` alone to have the plan done as it stands, or `plan` and what should be different.",
    );
  try {
    await deps.plans.approve(view.id, version);
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== "conflict") throw error;
    return await say(order, "The plan was changed meanwhile. Read it again, and say `go` then.");
  }
  deps.onAsked();
  return atWork;
}

/** The version that people can read; 0: none. */
async function shownVersion(
  { deps, repository, event }: Order,
  { thread, view }: OpenPlan,
): Promise<number> {
  if (view.state !== "proposed") return 0;
  if (thread.shownVersion === view.planVersion) return view.planVersion;
  // A hub may have shown it, and have died before it could note that.
  const { account } = await deps.forge.self();
  const text = planComment({
    plan: view,
    questions: [],
    asker: thread.asker.login,
    botLogin: deps.settings.botLogin,
    now: deps.clock.now(),
  });
  const comments = await repository.comments(event.number, COMMENTS_SHOWN);
  const isShown = comments.some(
    ({ author, body }) => author.id === account.id && body.startsWith(text),
  );
  return isShown ? view.planVersion : thread.shownVersion;
}
