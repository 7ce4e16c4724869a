import { ifFound } from "../../core/errors.ts";
import type { Order } from "../order.ts";
import { planOf } from "./open.ts";

/** In one sentence, how what was asked for last on a thread stands. */
export async function statusText({ deps, event }: Order): Promise<string> {
  const { id } = event.repository;
  const [[session], [plan]] = await Promise.all([
    deps.threads.ofThread(id, event.number, 1),
    deps.threadPlans.ofThread(id, event.number, 1),
  ]);
  const isPlanNewer = (plan?.createdAt ?? "") > (session?.createdAt ?? "");
  if (plan !== undefined && isPlanNewer) {
    const view = await planOf(deps.plans, plan);
    if (view !== null) return `The newest plan here (\`${view.id}\`) is ${view.state}.`;
  }
  if (session === undefined) return "Nothing has been asked of me here yet.";
  // It may have been deleted after its time.
  const { status = "gone" } = (await ifFound(deps.sessions.get(session.sessionId))) ?? {};
  return `The newest session here (\`${session.sessionId}\`) is ${status}.`;
}
