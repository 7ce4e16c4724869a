import { z } from "zod";
import type { Id } from "../core/id.ts";
import { LIMITS } from "../core/limits.ts";
import type { Orchestration, OrchestrationTerms } from "../core/orchestration.ts";
import { Plan, planFault } from "../core/plan.ts";
import type { PlanBounds } from "../core/plan.ts";
import { AnswerSchema } from "../core/session-terms.ts";
import type { GraphNode } from "../sessions/graph.ts";

/** How often a plan is asked for, in all. */
export const PLANNERS = 2;
const REASON_CHARS = 2_000;

/** What a planning session answers; in the one draft of JSON Schema that Claude Code takes. */
export const PLAN_SCHEMA: AnswerSchema = AnswerSchema.parse(
  z.toJSONSchema(Plan, { io: "input", unrepresentable: "any", target: "draft-7" }),
);

/** The session that makes the plan. It reads the repository, and changes nothing. */
export function plannerNode(
  { project, metadata, options }: Orchestration,
  id: Id,
  {
    maxTasks,
    refused,
    terms,
  }: { maxTasks: number; refused: string | null; terms: OrchestrationTerms },
): GraphNode {
  const { planModel, maxTokens, maxCostUsd } = terms;
  const { requirements, context } = project;
  const told = [
    ...(context === undefined ? [] : [context]),
    ...(refused === null
      ? []
      : [`The plan that was made before this one cannot be taken:\n${refused}`]),
  ].join("\n\n");
  const { timeout, limits } = options;
  return {
    id,
    session: {
      type: "coordination",
      project: {
        repository: project.repository,
        ...(project.branch === undefined ? {} : { branch: project.branch }),
        requirements: `${planning(maxTasks)}\n\nThe request:\n\n${requirements}`,
        ...(told === "" ? {} : { context: told.slice(-LIMITS.contextChars).toWellFormed() }),
      },
      dependencies: [],
      metadata,
      options: {
        ...(timeout === undefined ? {} : { timeout }),
        ...(limits === undefined ? {} : { limits }),
      },
    },
    terms: { answerSchema: PLAN_SCHEMA, model: planModel, maxTokens, maxCostUsd },
  };
}

function planning(maxTasks: number): string {
  return [
    "Make a plan for the request below. Do not do it: others will, each in a sandbox of their own with a clone of the repository.",
    `Read the repository first. Split the request into as few tasks as make sense, at most ${maxTasks}: what can be done side by side is worth a task of its own, what cannot is not.`,
    "Each task is told nothing but its own requirements and the results of the tasks that it needs, so say there all that has to be known: which files, which names others rely on, how it can be told that it is done.",
    "A task that needs exactly one other one begins on its branch. One that needs several has their branches to merge. All branches are brought together at the end by the hub; plan no task for that, nor for a pull request.",
    "Name the files that each task is expected to change, as narrowly as you can: those that change the same files are done one after the other.",
    "Give a task a check where the repository has a command that tells whether it is done.",
  ].join("\n");
}

/** The plan that an answer is, or why it is none. */
export function proposedPlan(
  answer: unknown,
  bounds: PlanBounds,
): { plan: Plan } | { refused: string } {
  const parsed = Plan.safeParse(answer);
  if (!parsed.success) {
    const told = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    return { refused: told.join("\n").slice(0, REASON_CHARS).toWellFormed() };
  }
  const fault = planFault(parsed.data, bounds);
  return fault === null ? { plan: parsed.data } : { refused: `${fault.path}: ${fault.reason}` };
}
