import { z } from "zod";
import { LIMITS } from "./limits.ts";

/** Fixed bounds on one plan; how many tasks it may have is the operator's to say. */
export const PLAN_BOUNDS = {
  tasks: 500,
  files: 20,
  filesInAll: 400,
  retries: 5,
  attempts: 5,
} as const;

export const TaskId = z
  .string()
  .regex(/^[A-Za-z0-9][\w-]{0,39}$/, "must be 1 to 40 letters, digits, hyphens or underscores");
export type TaskId = z.infer<typeof TaskId>;

/** Tasks do not coordinate others. */
export const TaskType = z.enum(["implementation", "analysis", "testing", "review"]);

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !value.includes("\u0000"), "must not contain NUL")
    .refine((value) => value.isWellFormed(), "must be well-formed Unicode");

const FilePattern = text(200).refine(
  (pattern) =>
    !pattern.startsWith("/") &&
    pattern.split("/").length <= 20 &&
    !pattern.split("/").includes(".."),
  "must be a path within the repository, of 20 parts at the most",
);

/** What becomes of those that need a task which has failed. */
export const OnFailure = z.union([
  z.enum(["cancel", "continue"]),
  z.strictObject({ retry: z.int().min(1).max(PLAN_BOUNDS.retries) }),
]);
export type OnFailure = z.infer<typeof OnFailure>;

export const PlanTask = z.strictObject({
  id: TaskId.describe("Short name of the task, by which others refer to it"),
  title: text(200).describe("What it is about, in a few words"),
  type: TaskType.default("implementation"),
  requirements: text(LIMITS.requirementsChars).describe(
    "All that whoever does it has to know: they see the repository and this, and not the other tasks",
  ),
  needs: z
    .array(TaskId)
    .max(LIMITS.dependencies)
    .default([])
    .describe("Ids of tasks whose work or results it needs; only those"),
  files: z
    .array(FilePattern)
    .max(PLAN_BOUNDS.files)
    .default([])
    .describe("Paths or patterns of what it is expected to change, such as src/api/**"),
  budget: z
    .strictObject({
      maxTokens: z.int().positive().optional(),
      maxCostUsd: z.number().positive().optional(),
      minutes: z.int().min(1).max(10_080).optional(),
    })
    .optional(),
  /** Run in the sandbox after the agent; what it ends with other than 0 makes the task fail. */
  check: text(2_000)
    .optional()
    .describe("Shell command that tells, by its exit code, whether the task is done"),
  onFailure: OnFailure.default("cancel").describe(
    "What to do when it fails: cancel those that need it, have them continue without, or try again",
  ),
  /** Of the strategy `wait_for_core`. */
  core: z.boolean().default(false),
  attempts: z
    .int()
    .min(1)
    .max(PLAN_BOUNDS.attempts)
    .default(1)
    .describe("Done so many times, each by itself; the best one that passes the check counts"),
});
export type PlanTask = z.infer<typeof PlanTask>;

/**
 * `parallel`: what the tasks need is all that orders them. `sequential`: each needs the one before it.
 * `wait_for_core`: the others need all core tasks: those marked so, or where none is, those that implement.
 */
export const Strategy = z.enum(["parallel", "sequential", "wait_for_core"]);
export type Strategy = z.infer<typeof Strategy>;

/** A request, split into tasks. */
export const Plan = z.strictObject({
  summary: z.string().max(2_000).default("").describe("The plan in one or two sentences"),
  strategy: Strategy.default("parallel"),
  tasks: z.array(PlanTask).min(1).max(PLAN_BOUNDS.tasks),
  /** Tasks that are expected to change the same files may run side by side. */
  sameFilesSideBySide: z.boolean().default(false),
  /** Where several branches are left at the end that nothing else builds on, one more session merges them. */
  integrate: z.boolean().default(true),
  /** One pull request at the end, where the hub may open one. */
  pullRequest: z.boolean().default(true),
});
export type Plan = z.infer<typeof Plan>;

/** What of a plan is wrong, and where. */
export interface PlanFault {
  /** Such as `tasks.2.needs.0`. */
  path: string;
  reason: string;
}

export interface PlanBounds {
  maxTasks: number;
  /** What all tasks together may use. */
  budget?: { costUsd?: number | undefined; tokens?: number | undefined } | undefined;
}

/** What the schema alone cannot say; null: the plan is sound. */
export function planFault(plan: Plan, bounds: PlanBounds): PlanFault | null {
  const { tasks } = plan;
  if (tasks.length > bounds.maxTasks)
    return {
      path: "tasks",
      reason: `has ${tasks.length} tasks, more than the ${bounds.maxTasks} that are allowed`,
    };
  const files = tasks.reduce((sum, task) => sum + task.files.length, 0);
  if (files > PLAN_BOUNDS.filesInAll)
    return { path: "tasks", reason: `names more than ${PLAN_BOUNDS.filesInAll} files in all` };
  return (
    identityFault(tasks) ??
    referenceFault(tasks) ??
    attemptsFault(tasks) ??
    budgetFault(tasks, bounds) ??
    cycleFault(tasks)
  );
}

function identityFault(tasks: readonly PlanTask[]): PlanFault | null {
  const seen = new Map<string, number>();
  for (const [index, { id }] of tasks.entries()) {
    // Names that differ by case alone would be mistaken for each other.
    const first = seen.get(id.toLowerCase());
    if (first !== undefined)
      return { path: `tasks.${index}.id`, reason: `${id} is the name of tasks.${first}, too` };
    seen.set(id.toLowerCase(), index);
  }
  return null;
}

function referenceFault(tasks: readonly PlanTask[]): PlanFault | null {
  const ids = new Set(tasks.map(({ id }) => id));
  for (const [index, { id, needs }] of tasks.entries())
    for (const [place, need] of needs.entries()) {
      const path = `tasks.${index}.needs.${place}`;
      if (!ids.has(need)) return { path, reason: `there is no task ${need}` };
      if (need === id) return { path, reason: "a task cannot need itself" };
      if (needs.indexOf(need) !== place) return { path, reason: `${need} is named twice` };
    }
  return null;
}

/** What is more than all may use would be no bound. */
function budgetFault(tasks: readonly PlanTask[], { budget = {} }: PlanBounds): PlanFault | null {
  const reason = "is more than all tasks together may use";
  for (const [index, task] of tasks.entries()) {
    const { maxCostUsd = 0, maxTokens = 0 } = task.budget ?? {};
    const path = `tasks.${index}.budget`;
    if (maxCostUsd > (budget.costUsd ?? Infinity)) return { path: `${path}.maxCostUsd`, reason };
    if (maxTokens > (budget.tokens ?? Infinity)) return { path: `${path}.maxTokens`, reason };
  }
  return null;
}

function attemptsFault(tasks: readonly PlanTask[]): PlanFault | null {
  for (const [index, { attempts, check, type, onFailure }] of tasks.entries()) {
    if (attempts === 1) continue;
    const path = `tasks.${index}.attempts`;
    if (check === undefined) return { path, reason: "needs a check that tells which is the best" };
    if (type === "analysis" || type === "review")
      return { path, reason: `a task of the type ${type} changes nothing that could be checked` };
    if (typeof onFailure === "object")
      return { path, reason: "cannot be combined with retry: each attempt is a try already" };
  }
  return null;
}

function cycleFault(tasks: readonly PlanTask[]): PlanFault | null {
  const order = new Set(inOrder(tasks, (task) => task.needs).map(({ id }) => id));
  const start = tasks.find(({ id }) => !order.has(id));
  if (start === undefined) return null;
  // From a task that is never reached the way back always leads to another one.
  const way: PlanTask[] = [];
  let at: PlanTask | undefined = start;
  while (at !== undefined && !way.includes(at)) {
    way.push(at);
    const next: string | undefined = at.needs.find((need) => !order.has(need));
    at = tasks.find(({ id }) => id === next);
  }
  const cycle = at === undefined ? way : way.slice(way.indexOf(at));
  const [first = start, second = first] = cycle;
  return {
    path: `tasks.${tasks.indexOf(first)}.needs.${first.needs.indexOf(second.id)}`,
    reason: `is a cycle: ${[...cycle, first].map(({ id }) => id).join(" needs ")}`,
  };
}

/**
 * The tasks, each after those that it has to come after, and else as they are listed. What is on a cycle, or after one, is
 * left out.
 */
export function inOrder(
  tasks: readonly PlanTask[],
  after: (task: PlanTask) => readonly string[],
): PlanTask[] {
  const open = new Map(tasks.map((task) => [task.id, new Set(after(task)).size]));
  const followers = new Map<string, string[]>();
  for (const task of tasks)
    for (const id of new Set(after(task)))
      followers.set(id, [...(followers.get(id) ?? []), task.id]);
  const done: PlanTask[] = [];
  for (;;) {
    const next = tasks.find(({ id }) => open.get(id) === 0);
    if (next === undefined) return done;
    open.delete(next.id);
    done.push(next);
    for (const id of followers.get(next.id) ?? []) {
      const left = open.get(id);
      if (left !== undefined) open.set(id, left - 1);
    }
  }
}
