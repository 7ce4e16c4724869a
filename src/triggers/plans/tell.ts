import type { Clock } from "../../core/clock.ts";
import { isOver } from "../../core/orchestration.ts";
import type { OrchestrationView } from "../../core/orchestration.ts";
import type { Forge, ForgeRepository } from "../../forge/forge.ts";
import type { ApprovalReads } from "../../store/talk/approvals.ts";
import type { ThreadPlan, ThreadPlanStore } from "../../store/threads/thread-plans.ts";
import type { ThreadSessionStore } from "../../store/threads/thread-sessions.ts";
import { react } from "../order.ts";
import type { Pace } from "../report/pace.ts";
import { hashOf } from "../report/shown.ts";
import type { Plans } from "./deps.ts";
import { planOf } from "./open.ts";
import { planComment } from "./plan-comment.ts";

export interface TellPlanDeps {
  forge: Forge;
  plans: Plans;
  threadPlans: ThreadPlanStore;
  threads: Pick<ThreadSessionStore, "mayOweSign">;
  questions: ApprovalReads;
  /** By which people mention the bot. */
  botLogin(): Promise<string>;
  clock: Clock;
}

/** Brings the comment of a plan up to date; at its end also gives a sign. */
export async function tellPlan(
  deps: TellPlanDeps,
  pace: Pace,
  others: number,
  thread: ThreadPlan,
): Promise<void> {
  const { threadPlans } = deps;
  const { orchestrationId: id, source } = thread;
  const repository = deps.forge.repository(thread.repository);
  const plan = await planOf(deps.plans, thread);
  if (plan === null) {
    // A crash may have come before it was made: then the delivery makes it when it is worked off again.
    if (await threadPlans.isAwaited(thread)) return;
    await react(repository, thread, source, "confused");
    await threadPlans.told(id);
    return;
  }
  const text = await textOf(deps, thread, plan);
  const ended = isOver(plan.state);
  if (hashOf(text) !== thread.shown || plan.planVersion !== thread.shownVersion) {
    const waits = plan.sessions.every(({ startedAt }) => startedAt === null);
    if (ended) pace.count();
    else if (thread.commentId === null ? !pace.mayBegin(waits) : !pace.mayEdit(id, others)) return;
    await show(deps, repository, thread, { text, version: plan.planVersion });
  }
  if (!ended) return;
  // The first sign may be put off with the delivery that asked for it.
  if (await deps.threads.mayOweSign(thread)) await react(repository, thread, source, "eyes");
  await react(repository, thread, source, plan.state === "completed" ? "hooray" : "confused");
  await threadPlans.told(id);
}

async function textOf(
  { questions, botLogin, clock }: TellPlanDeps,
  { orchestrationId, asker }: ThreadPlan,
  plan: OrchestrationView,
): Promise<string> {
  const now = clock.now();
  const asked = await questions.among({
    sessionIds: [],
    orchestrationIds: [orchestrationId],
    closedSince: now,
  });
  return planComment({
    plan,
    questions: asked
      .filter(({ decision }) => decision === null)
      .map((one) => ({ ...one, title: titleOf(plan, one.sessionId) })),
    asker: asker.login,
    botLogin: await botLogin(),
    now,
  });
}

function titleOf({ sessions }: OrchestrationView, id: string): string {
  return sessions.find(({ sessionId }) => sessionId === id)?.title ?? "";
}

async function show(
  { threadPlans }: TellPlanDeps,
  repository: ForgeRepository,
  { orchestrationId, source, number, commentId }: ThreadPlan,
  { text, version }: { text: string; version: number },
): Promise<void> {
  const key = `plan:${orchestrationId}`;
  const kind = source.kind === "lineComment" ? "line" : "thread";
  const shown = hashOf(text);
  if (commentId !== null) {
    // Whoever has deleted it does not want to be told.
    await repository.edit({ id: commentId, kind, key }, text);
    await threadPlans.show(orchestrationId, { commentId, shown, version });
    return;
  }
  const place = source.kind === "lineComment" ? { inReplyTo: source.firstId } : {};
  const { id, isNew } = await repository.say(key, { number, ...place }, text);
  // Of an earlier try only the answer was lost: it says what was true at that time.
  if (!isNew) await repository.edit({ id, kind, key }, text);
  await threadPlans.show(orchestrationId, { commentId: id, shown, version });
}
