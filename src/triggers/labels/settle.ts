import { HubError, ifFound } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { ForgeRepository, Issue, Label } from "../../forge/forge.ts";
import type { LabelRun } from "../../store/threads/label-runs.ts";
import { targetOf } from "../order.ts";
import { neutralise } from "../report/neutralise.ts";
import { chosenBy, LABEL_REQUIREMENTS, LABEL_SCHEMA, labelContext, offered } from "./choice.ts";
import type { Choice } from "./choice.ts";
import { chosenByWords } from "./keywords.ts";
import type { LabellerDeps, LabelRules } from "./labeller.ts";
import { reserveDay } from "../settings/day-budget.ts";
import { handsOn } from "./touched.ts";

/** A choice takes seconds; a model that is away is tried again for minutes. */
const LIMIT_SECONDS = 180;
const TOLD_CHARS = 1_000;

/** Brings a run as far as it gets now: its session is begun, or what that has answered is put on the issue. Safe to repeat. */
export async function settleRun(deps: LabellerDeps, run: LabelRun): Promise<void> {
  const repository = deps.forge.repository(run.repository);
  const rules = await deps.rulesFor(run.repository);
  if (rules.mode === "off") return await finish(deps, run, "labels were switched off meanwhile");
  if (run.state === "waiting") return await begin(deps, repository, rules, run);
  // Deleted after its time, while nobody could put its labels.
  const session = await ifFound(deps.sessions.get(run.sessionId));
  if (session !== null && session.completedAt === null) return undefined;
  return await end(deps, repository, rules, run, session);
}

async function begin(
  deps: LabellerDeps,
  repository: ForgeRepository,
  { exclude, model, budget: { day, session } }: LabelRules,
  run: LabelRun,
): Promise<void> {
  const labels = offered(await repository.labels(), exclude);
  if (labels.length === 0) {
    await finish(deps, run, "there are no labels to choose from");
    return;
  }
  const issue = await repository.issue(run.number);
  const costUsd = Math.min(deps.bounds.maxCostUsd, session.costUsd ?? Infinity);
  const reserved = await reserveDay(
    { ...deps, settings: { budget: { day, session: { ...session, costUsd } } } },
    { id: run.repositoryId, name: run.repository },
    { cause: `labels:${run.sessionId}`, sessionId: run.sessionId },
  );
  if (reserved.refusal !== null) {
    await tellAsker(repository, run, [], false);
    await finish(deps, run, reserved.refusal);
    return;
  }
  const { costUsd: maxCostUsd, tokens: maxTokens } = reserved.limits;
  const { number, url } = issue;
  await deps.sessions.create(
    {
      type: "analysis",
      project: {
        repository: run.repository,
        requirements: LABEL_REQUIREMENTS,
        context: labelContext(issue, labels),
      },
      dependencies: [],
      metadata: { github: { number, url, kind: "label" } },
      options: { autoStart: true, timeout: LIMIT_SECONDS },
    },
    {
      id: run.sessionId,
      // No tools, no files, no other host: whatever the issue says, what it can bring about is one of these labels.
      terms: { answerSchema: LABEL_SCHEMA, toolset: "none", model, maxCostUsd, maxTokens },
    },
  );
  await deps.runs.asked(run.sessionId);
}

async function end(
  deps: LabellerDeps,
  repository: ForgeRepository,
  rules: LabelRules,
  run: LabelRun,
  session: Session | null,
): Promise<void> {
  const { account } = await deps.forge.self();
  // What there is now, and what has been done now: both may have changed while the model thought.
  const labels = offered(await repository.labels(), rules.exclude);
  const issue = await repository.issue(run.number);
  const hands = handsOn(await repository.labelChanges(run.number), issue, account);
  if (run.source === null && hands.byOthers) {
    await finish(deps, run, "somebody has seen to its labels meanwhile");
    return;
  }
  const choice = await choose(deps, rules, labels, issue, session);
  const names = choice.names.filter((name) => !hands.removed.has(name.toLowerCase()));
  const isDry = rules.mode === "dry-run";
  if (!isDry) await repository.addLabels(run.number, missing(names, issue));
  await tellAsker(repository, run, names, isDry);
  const what = names.length === 0 ? "none of its labels fits" : names.join(", ");
  await finish(deps, run, `${isDry ? "would put: " : ""}${what} (${choice.by}: ${choice.reason})`, {
    labels: names,
    by: choice.by,
    isDry,
  });
}

async function choose(
  { sessions, bounds }: LabellerDeps,
  { max }: LabelRules,
  labels: readonly Label[],
  issue: Issue,
  session: Session | null,
): Promise<Choice> {
  const answer = session?.status === "completed" ? await sessions.answer(session.id) : null;
  return (
    chosenBy(answer, labels, { max, confidence: bounds.confidence }) ??
    chosenByWords(issue, labels, max)
  );
}

function missing(names: readonly string[], issue: Issue): string[] {
  const present = new Set(issue.labels.map((name) => name.toLowerCase()));
  return names.filter((name) => !present.has(name.toLowerCase()));
}

/** Only people who have asked are told, by a sign; of labels that are not put, in words. */
async function tellAsker(
  repository: ForgeRepository,
  { source, number, sessionId }: LabelRun,
  names: readonly string[],
  isDry: boolean,
): Promise<void> {
  if (source === null) return;
  if (isDry && names.length > 0) {
    const list = names.map((name) => `\`${name.replaceAll("`", "")}\``).join(", ");
    const inReplyTo = source.kind === "lineComment" ? { inReplyTo: source.firstId } : {};
    const text = neutralise(
      `I would put: ${list}. Labels are on trial here (\`dry-run\`).`,
      TOLD_CHARS,
    );
    await repository.say(`labels:${sessionId}`, { number, ...inReplyTo }, text);
    return;
  }
  try {
    await repository.react(targetOf(source, number), names.length > 0 ? "+1" : "confused");
  } catch (error) {
    // The question may be gone by now.
    if (!(error instanceof HubError) || error.retryable) throw error;
  }
}

async function finish(
  { runs, clock, log }: LabellerDeps,
  { sessionId, repository, number }: LabelRun,
  outcome: string,
  facts: Record<string, unknown> = {},
): Promise<void> {
  await runs.done(sessionId, outcome, clock.now());
  log.info({ sessionId, repository, number, outcome, ...facts }, "labels were seen to");
}
