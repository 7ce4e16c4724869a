import { newId } from "../../core/id.ts";
import type { OrchestrationTerms, OrchestrationView } from "../../core/orchestration.ts";
import type { Plan } from "../../core/plan.ts";
import type { Spending } from "../../core/bot-settings.ts";
import { COMMENTS_SHOWN, asSeen } from "../ask.ts";
import { stopPlan } from "../closed.ts";
import { say } from "../order.ts";
import type { Order } from "../order.ts";
import { happenedAt } from "../payload.ts";
import { reserveDay } from "../settings/day-budget.ts";
import { contextOf, requirementsOf } from "../text/conversation.ts";
import { quoted, sanitise } from "../text/sanitise.ts";
import type { Outcome } from "../worker.ts";
import { openPlans } from "./open.ts";

const UNLIMITED: Spending = { costUsd: null, tokens: null };
const PLAN_CHARS = 20_000;

/**
 * Has a plan made for an issue, which then waits for somebody's `go`. Safe to repeat for the same cause. One that waits there
 * already is dropped: the new one is made with it in view.
 */
export async function beginPlan(order: Order): Promise<Outcome> {
  const { deps, event, heard } = order;
  const { cause } = heard;
  const open = await openPlans(deps, event.number, event.repository.id);
  const others = open.filter(({ thread }) => thread.cause !== cause);
  const [atWork] = others.filter(({ view }) => view.state === "running");
  if (atWork !== undefined && open.length === others.length)
    return await say(order, "A plan is at work here already. Say `stop` to end it first.");
  const { settings, clock } = deps;
  const reserved = await reserveDay(
    // It is several sessions that share what is set aside.
    { ...deps, settings: { budget: { day: settings.budget.day, session: UNLIMITED } } },
    event.repository,
    { cause, sessionId: newId() },
  );
  if (reserved.refusal !== null) return await say(order, reserved.refusal);
  const { orchestrationId } = await deps.threadPlans.begin({
    orchestrationId: reserved.sessionId,
    cause,
    repositoryId: event.repository.id,
    repository: event.repository.name,
    number: event.number,
    asker: { id: event.sender.id, login: event.sender.login },
    source: heard.source,
    createdAt: clock.now().toISOString(),
  });
  for (const { thread } of others) await stopPlan(deps, thread.orchestrationId);
  const { costUsd, tokens } = reserved.limits;
  await deps.plans.propose(orchestrationId, {
    project: await projectOf(order, others.at(0)?.view.plan ?? null),
    metadata: { github: githubOf(order) },
    options: {
      budget: {
        ...(costUsd === null ? {} : { costUsd }),
        ...(tokens === null ? {} : { tokens }),
      },
    },
    terms: termsOf(order, reserved.limits),
  });
  deps.onAsked();
  return { state: "done", outcome: `orchestration ${orchestrationId} was begun` };
}

async function projectOf(
  { deps, repository, event, heard, issue, pullRequest }: Order,
  before: OrchestrationView["plan"],
) {
  const { account } = await deps.forge.self();
  const asked = {
    asker: event.sender,
    instruction: heard.instruction,
    issue: asSeen(issue, event),
    pullRequest,
    comments: await repository.comments(issue.number, COMMENTS_SHOWN),
    line: heard.line,
    askedAt: happenedAt(event),
    bot: account,
    data: before === null ? "" : planAsData(before),
  };
  return {
    repository: event.repository.name,
    requirements: requirementsOf(asked),
    context: contextOf(asked),
  };
}

function planAsData(plan: Plan): string {
  const text = sanitise(JSON.stringify(plan, null, 1).slice(0, PLAN_CHARS).toWellFormed());
  return `The plan that was proposed before, which whoever asks does not want as it is:\n${quoted(text)}`;
}

function githubOf({ event, issue }: Order) {
  return { number: issue.number, url: issue.url, asker: event.sender.login, kind: "plan" };
}

function termsOf({ deps }: Order, reserved: Spending): OrchestrationTerms {
  const { models, budget } = deps.settings;
  return {
    planModel: models.plan,
    workModel: models.work,
    maxTokens: least(budget.session.tokens, reserved.tokens),
    maxCostUsd: least(budget.session.costUsd, reserved.costUsd),
  };
}

function least(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
