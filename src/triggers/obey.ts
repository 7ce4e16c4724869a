import { ifFound } from "../core/errors.ts";
import type { ForgeRepository } from "../forge/forge.ts";
import type { ThreadKind } from "../store/threads/thread-sessions.ts";
import { ask } from "./ask.ts";
import { refusalFor } from "./authority.ts";
import { stopAll } from "./closed.ts";
import type { TriggerDeps } from "./deps.ts";
import { foreseeWork } from "./foresee.ts";
import { heardOf, isHeard } from "./heard.ts";
import type { Heard } from "./heard.ts";
import { beginLabels } from "./labels/rule.ts";
import { react, say } from "./order.ts";
import type { Order } from "./order.ts";
import { isAboutThread } from "./payload.ts";
import type { ThreadEvent } from "./payload.ts";
import { beginPlan } from "./plans/begin.ts";
import { approvePlan } from "./plans/go.ts";
import { statusText } from "./plans/status.ts";
import { answerQuestion } from "./questions/answer.ts";
import { helpText } from "./report/help.ts";
import { stopReviews } from "./review/end.ts";
import { neutralise } from "./report/neutralise.ts";
import type { Rule } from "./rule.ts";
import { dayBudgetRefusal } from "./settings/day-budget.ts";
import type { Outcome } from "./worker.ts";

/** What people ask the bot for by its name, a label, an assignment, a request for a review, or a box that they tick. */
export const mentionRule: Rule = {
  name: "mention",
  async decide(deps, repository, event) {
    if (!isAboutThread(event) || !isHeard(event)) return null;
    const { account } = await deps.forge.self();
    if (event.sender.id === account.id) return "the bot itself did it";
    const heard = await heardOf(deps, repository, event);
    if (typeof heard === "string") return heard;
    if (heard.trigger !== null && !deps.settings.triggers[heard.trigger])
      return `the repository has switched ${heard.trigger} off`;
    const refusal = await refusalFor(deps.settings, repository, event.sender);
    if (refusal !== null)
      return {
        would: `gives a sign that ${refusal}, unless it has given one before`,
        act: () => turnAway(deps, repository, event, heard, refusal),
      };
    return {
      would: `follows the command ${heard.command}`,
      act: () => obey(deps, repository, event, heard),
    };
  },
};

const FAULT_CHARS = 500;
const KNOWN_SESSIONS = 50;

/** Strangers get one sign, at most once in a repository. */
async function turnAway(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
  heard: Heard,
  refusal: string,
): Promise<Outcome> {
  await deps.once(`stranger:${event.repository.id}:${event.sender.id}`, () =>
    react(repository, event, heard.source, "confused"),
  );
  const { fault } = deps.settings;
  const mightAsk =
    fault !== null &&
    (await refusalFor(deps.settingsFor.operator, repository, event.sender)) === null;
  // Who could ask before somebody broke the file is told why they cannot.
  if (mightAsk)
    await repository.say(
      `broken-settings:${event.number}`,
      { number: event.number },
      `${neutralise(fault, FAULT_CHARS)}. Until that is mended, only those who maintain the repository may ask me.`,
    );
  return { state: "ignored", outcome: refusal };
}

/** Does what somebody has asked for who may. */
export async function obey(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
  heard: Heard,
): Promise<Outcome> {
  const sign = react(repository, event, heard.source, "eyes");
  // Told below, which it may be too early for.
  sign.catch(() => undefined);
  const asksForWork = ASK_FOR_WORK.has(heard.command);
  if (asksForWork) {
    deps.warmUp(event.repository.name).catch((error: unknown) => {
      // Whoever reads it by git is told what is wrong.
      deps.log.debug({ err: error }, "mirror could not be warmed up");
    });
    foreseeWork(repository, event);
  }
  const issue = await repository.issue(event.number);
  // A session may be begun before the sign is there: it is the same one when all this is done again because of the sign.
  if (issue.isLocked || !asksForWork) await sign;
  if (issue.isLocked) return { state: "ignored", outcome: "the conversation is locked" };
  const pullRequest = issue.isPullRequest ? await repository.pullRequest(event.number) : null;
  const order = { deps, repository, event, heard, issue, pullRequest };
  const outcome = await COMMANDS[heard.command](order);
  await sign;
  return outcome;
}

const ASK_FOR_WORK: ReadonlySet<Heard["command"]> = new Set([
  "work",
  "fix",
  "go",
  "retry",
  "plan",
  "review",
]);

const COMMANDS: Record<Heard["command"], (order: Order) => Promise<Outcome>> = {
  work: (order) => begin(order, "work", order.heard.instruction),
  fix: (order) => begin(order, "work", `Fix what is wrong here. ${order.heard.instruction}`.trim()),
  go: async (order) =>
    (await approvePlan(order)) ??
    (await begin(
      order,
      "work",
      `Carry out the plan that was made here. ${order.heard.instruction}`.trim(),
    )),
  retry: retryLast,
  // What is done on a pull request goes to its branch, one after the other.
  plan: (order) =>
    order.pullRequest === null
      ? beginPlan(order)
      : begin(
          order,
          "plan",
          `Make a plan and change nothing: which steps, in which order, in which files, and what is unclear. ${order.heard.instruction}`.trim(),
        ),
  async review(order) {
    if (order.pullRequest === null)
      return await say(order, "There is no pull request here to review.");
    return await begin(
      order,
      "review",
      `Review the pull request. ${order.heard.instruction}`.trim(),
    );
  },
  async label(order) {
    const { deps, event, heard } = order;
    if (deps.settings.labels.mode === "off") return await say(order, "I put no labels here.");
    const refusal = await dayBudgetRefusal(deps, event, heard.cause);
    if (refusal !== null) return await say(order, refusal);
    return await beginLabels(deps, event, { cause: heard.cause, source: heard.source });
  },
  help: (order) => say(order, helpText(order.deps.settings.botLogin)),
  async stop(order) {
    const reviews = await stopReviews(order.deps, order.event);
    const count = reviews + (await stopAll(order.deps, order.event));
    if (count === 0 && !(await wasStopped(order)))
      return await say(order, "Nothing is at work here.");
    await react(order.repository, order.event, order.heard.source, "+1");
    return { state: "done", outcome: `${count} sessions are ended` };
  },
  status: async (order) => await say(order, await statusText(order)),
  approve: async (order) =>
    (await answerQuestion(order, "allow")) ?? (await say(order, "No question is open here.")),
  async deny(order) {
    const answered = await answerQuestion(order, "deny");
    if (answered !== null) return answered;
    if (order.heard.instruction === "") return await say(order, "No question is open here.");
    // A sentence that begins with the word.
    return await begin(order, "work", order.heard.whole);
  },
};

/** Whoever only was to read is not given the branch to write on by another try. */
async function retryLast(order: Order): Promise<Outcome> {
  const { deps, event, heard, pullRequest } = order;
  const all = await deps.threads.ofThread(event.repository.id, event.number, KNOWN_SESSIONS);
  const { source } = heard;
  // Of a box that is ticked, what its comment tells of.
  const told = "id" in source ? all.find(({ commentId }) => commentId === source.id) : undefined;
  const last = told ?? all.find(({ cause }) => cause !== heard.cause);
  if (last?.kind === "review" && pullRequest !== null)
    return await begin(order, "review", "Review the pull request.");
  const kind = last?.kind === "plan" ? "plan" : "work";
  return await begin(order, kind, "Try once more what was asked before on this thread.");
}

/** Whether this very wish has ended something: it is done once more after a crash, or where its sign failed. */
async function wasStopped({ deps, event }: Order): Promise<boolean> {
  const [last] = await deps.threads.ofThread(event.repository.id, event.number, 1);
  if (last === undefined) return false;
  const session = await ifFound(deps.sessions.get(last.sessionId));
  return session?.status === "cancelled" && (session.completedAt ?? "") >= event.receivedAt;
}

async function begin(order: Order, kind: ThreadKind, instruction: string): Promise<Outcome> {
  const { deps, repository, event, heard, issue, pullRequest } = order;
  const { cause, source, line } = heard;
  const { data = "" } = heard;
  const wish = { event, cause, kind, source, instruction, line, issue, pullRequest, data };
  const asked = await ask(deps, repository, wish);
  if (typeof asked === "string") return await say(order, asked);
  return { state: "done", outcome: `session ${asked.sessionId} was begun` };
}
