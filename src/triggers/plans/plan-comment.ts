import { isOver } from "../../core/orchestration.ts";
import type { OrchestratedSession, OrchestrationView } from "../../core/orchestration.ts";
import { graphOf } from "../../core/plan-graph.ts";
import { cut, neutralise } from "../report/neutralise.ts";
import type { OpenQuestion } from "../report/progress.ts";
import { oneLine, questionsText } from "../report/questions.ts";
import { STOP_PLAN } from "../report/status-comment.ts";
import { planText } from "./plan-text.ts";

export interface PlanView {
  plan: OrchestrationView;
  questions: readonly (OpenQuestion & { title: string })[];
  asker: string;
  botLogin: string;
  now: Date;
}

/** GitHub takes 65,536 characters. */
const MAX_CHARS = 60_000;
const ERROR_CHARS = 1_000;
const TITLE_CHARS = 200;

/** The one comment that tells of a plan: what is proposed, how far it is, and what came of it. */
export function planComment(view: PlanView): string {
  const { plan, questions } = view;
  const isRead = plan.state === "proposed" && plan.plan !== null;
  const box = isOver(plan.state) ? "" : `- [ ] ${STOP_PLAN}`;
  const parts = [
    headline(view),
    questionsText(questions, view),
    isRead && plan.plan !== null ? planText(plan.plan, plan.edges) : checklist(plan),
    links(plan),
    figures(plan),
  ].filter((part) => part !== "");
  const text = cut(parts.join("\n\n"), MAX_CHARS);
  // By its last line people stop it, so that one is not cut.
  return box === "" ? text : `${text}\n\n${box}`;
}

function headline({ plan, asker, botLogin }: PlanView): string {
  const whose = `for ${neutralise(`@${asker}`, 60)}`;
  const error = neutralise(plan.error ?? "for an unknown reason", ERROR_CHARS);
  switch (plan.state) {
    case "proposing":
    case "approved":
      return `**Planning** ${whose}: nothing is changed yet.${waits(plan)}`;
    case "proposed":
      return [
        `**A plan** ${whose}. Say \`@${botLogin} go\` to have it done as it stands here, \`@${botLogin} plan\` and what`,
        `should be different to have another one, or \`@${botLogin} stop\` to drop it.`,
      ].join(" ");
    case "running":
      return `**Working** on the plan ${whose}.`;
    case "completed":
      return `**Done** ${whose}: ${neutralise(plan.summary ?? "", ERROR_CHARS)}.`;
    case "failed":
      return `**Failed** ${whose}: ${error}`;
    case "cancelled":
      return `**Stopped** ${whose}: ${error}`;
    default:
      return plan.state satisfies never;
  }
}

function waits({ sessions }: OrchestrationView): string {
  return sessions.at(-1)?.status === "pending" ? " It waits for a free slot." : "";
}

/** One line for each task, and one for what brings their work together. */
function checklist({ plan, sessions, state }: OrchestrationView): string {
  if (plan === null || state === "proposing") return "";
  const titles = new Map(plan.tasks.map(({ id, title }) => [id, title]));
  const lines = graphOf(plan).tasks.map(({ id, title }) =>
    line(
      title,
      sessions.filter(({ taskId }) => taskId === id),
      { titles, sessions },
    ),
  );
  const last = sessions.filter(({ role }) => role === "integrator");
  if (last.length > 0) lines.push(line("Bring all together", last, { titles, sessions }));
  return lines.join("\n");
}

interface Around {
  titles: ReadonlyMap<string, string>;
  sessions: readonly OrchestratedSession[];
}

function line(title: string, own: readonly OrchestratedSession[], around: Around): string {
  const counting = own.filter(({ place }) => place === "current" || place === "chosen");
  const one = counting.find(({ place }) => place === "chosen") ?? best(counting);
  const name = oneLine(title, TITLE_CHARS);
  if (one === undefined) return `- [ ] ${name}`;
  const parts = [
    one.status === "running" ? `**${name}**` : name,
    stateOf(one, around),
    own.length > 1 ? triesOf(own) : "",
    one.workBranch === null || one.status !== "completed"
      ? ""
      : `branch \`${one.workBranch.replaceAll("`", "")}\``,
  ].filter((part) => part !== "");
  return `- [${one.status === "completed" ? "x" : " "}] ${parts.join(" · ")}`;
}

const RANK = ["running", "pending", "initializing", "completed", "failed", "cancelled"];

/** Of several attempts of which none is chosen yet, the one that is at it. */
function best(sessions: readonly OrchestratedSession[]): OrchestratedSession | undefined {
  return sessions.toSorted(
    (one, other) => RANK.indexOf(one.status) - RANK.indexOf(other.status),
  )[0];
}

function triesOf(own: readonly OrchestratedSession[]): string {
  const attempts = Math.max(...own.map(({ attempt }) => attempt));
  const rounds = Math.max(...own.map(({ round }) => round));
  if (attempts === 1) return `try ${rounds}`;
  const ended = own.filter(({ completedAt }) => completedAt !== null).length;
  const chosen = own.find(({ place }) => place === "chosen");
  return chosen === undefined
    ? `${ended} of ${attempts} attempts have ended`
    : `attempt ${chosen.attempt} of ${attempts} was chosen`;
}

function stateOf({ status, error, dependencies, waitsFor }: OrchestratedSession, around: Around) {
  switch (status) {
    case "completed":
      return "";
    case "running":
      return "at work";
    case "failed":
      return `failed: ${oneLine(error ?? "", 300)}`;
    case "cancelled":
      return "not done";
    default: {
      const before = [...dependencies, ...waitsFor].flatMap((id) => openTitle(id, around));
      const names = [...new Set(before)].slice(0, 5);
      return names.length === 0 ? "waits for a free slot" : `waits for ${names.join(", ")}`;
    }
  }
}

function openTitle(id: string, { sessions, titles }: Around): string[] {
  const found = sessions.find(({ sessionId }) => sessionId === id);
  if (found === undefined || found.completedAt !== null) return [];
  return [oneLine(titles.get(found.taskId ?? "") ?? found.title ?? "", 80)];
}

function links({ pullRequestUrl, branch }: OrchestrationView): string {
  return [
    pullRequestUrl === null ? "" : `[Pull request](${pullRequestUrl})`,
    branch === null ? "" : `branch \`${branch.replaceAll("`", "")}\``,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

function figures({ id, planVersion, sessions, state, budget }: OrchestrationView): string {
  if (state === "proposing" || state === "running") return "";
  const limit = budget.costUsd?.limit;
  const cost = sessions.reduce((sum, { costUsd }) => sum + costUsd, 0);
  const parts = [
    cost === 0 ? "" : `$${cost.toFixed(2)}${limit === undefined ? "" : ` of $${limit.toFixed(2)}`}`,
    planVersion > 1 ? `version ${planVersion}` : "",
    state === "completed" ? "" : `reference: orchestration \`${id}\``,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : `<sub>${parts.join(" · ")}</sub>`;
}
