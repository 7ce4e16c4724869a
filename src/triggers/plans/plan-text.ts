import { mayIntegrate } from "../../core/plan-graph.ts";
import type { PlanEdge } from "../../core/plan-graph.ts";
import type { Plan, PlanTask } from "../../core/plan.ts";
import { visible } from "../text/sanitise.ts";
import { fenced, neutralise } from "../report/neutralise.ts";
import { codeSpan, oneLine } from "../report/questions.ts";

const SUMMARY_CHARS = 2_000;
const TITLE_CHARS = 200;
const FILES_SHOWN = 8;
/** Of all that the tasks are told; it stands in the comment, since who says `go` has it done in their name. */
const TOLD_CHARS = 36_000;
const NOTE = "… (cut: `claude-hub plan show` has all of it)";

/** A plan as people read it before they have it done: model-written text, which can do nothing where it is shown. */
export function planText(plan: Plan, edges: readonly PlanEdge[]): string {
  const { summary, tasks } = plan;
  const each = Math.floor(TOLD_CHARS / tasks.length);
  const told = tasks.map(({ id, requirements, check }) =>
    [
      `**${id}**`,
      fenced(shortened(requirements, each)),
      ...(check === undefined ? [] : [`Done when this ends with 0:\n\n${fenced(visible(check))}`]),
    ].join("\n\n"),
  );
  return [
    ...(summary === "" ? [] : [neutralise(summary, SUMMARY_CHARS)]),
    tasks.map((task, at) => `${at + 1}. ${taskText(task, edges)}`).join("\n"),
    ...(mayIntegrate(plan)
      ? ["Where several branches are left at the end, one more session brings them together."]
      : []),
    ...(plan.pullRequest ? ["One draft pull request at the end."] : []),
    `<details><summary>What each of them is told</summary>\n\n${told.join("\n\n")}\n\n</details>`,
  ].join("\n\n");
}

function taskText(task: PlanTask, edges: readonly PlanEdge[]): string {
  const after = edges.filter((edge) => edge.task === task.id);
  const needs = after.filter(({ why }) => why !== "files").map((edge) => edge.after);
  const behind = after.filter(({ why }) => why === "files").map((edge) => edge.after);
  const files = task.files.slice(0, FILES_SHOWN).map((one) => codeSpan(one, TITLE_CHARS));
  const more = task.files.length - files.length;
  const parts = [
    `**${task.id}**: ${oneLine(task.title, TITLE_CHARS)}`,
    task.type === "implementation" ? "" : task.type,
    needs.length === 0 ? "" : `needs ${needs.join(", ")}`,
    behind.length === 0 ? "" : `after ${behind.join(", ")}, as both change the same files`,
    files.length === 0 ? "" : `changes ${files.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
    budgetText(task),
    task.attempts > 1 ? `${task.attempts} attempts, of which the best counts` : "",
    failureText(task),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function budgetText({ budget = {} }: PlanTask): string {
  const { maxTokens, maxCostUsd, minutes } = budget;
  const parts = [
    maxCostUsd === undefined ? "" : `$${maxCostUsd.toFixed(2)}`,
    maxTokens === undefined ? "" : `${maxTokens.toLocaleString("en")} tokens`,
    minutes === undefined ? "" : `${minutes} min`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : `at most ${parts.join(", ")}`;
}

function failureText({ onFailure }: PlanTask): string {
  if (onFailure === "cancel") return "";
  if (onFailure === "continue") return "the others go on without it when it fails";
  return onFailure.retry === 1 ? "tried once more" : `tried ${onFailure.retry} times more`;
}

function shortened(text: string, maxChars: number): string {
  const shown = visible(text);
  if (shown.length <= maxChars) return shown;
  return `${shown.slice(0, Math.max(0, maxChars - NOTE.length)).toWellFormed()}${NOTE}`;
}
