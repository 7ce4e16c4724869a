import { z } from "zod";
import { Plan, PLAN_BOUNDS, planFault, TaskId, TaskType } from "./plan.ts";
import { LIMITS } from "./limits.ts";
import { Branch } from "./repository.ts";
import { SessionBudget } from "./session.ts";
import { SessionLimits } from "./session-limits.ts";

/** As people write them in YAML: `4g`, 2048 or "2048". */
const wholeNumber = z
  .union([z.int(), z.string().regex(/^\d{1,9}$/, "must be a whole number")])
  .transform(Number);

/** One task of a file for `claude-hub batch`; the first six are the older system's. */
export const BatchTask = z
  .strictObject({
    repo: z
      .string()
      .min(1)
      .max(140)
      .describe("Repository, as owner/name; without an owner: DEFAULT_GITHUB_OWNER's"),
    command: z.string().min(1).max(LIMITS.requirementsChars).describe("What is to be done"),
    issue: z.int().min(1).optional().describe("Number of the issue that it is about"),
    pr: z
      .union([z.int().min(1), z.boolean()])
      .optional()
      .describe(
        "Number of the pull request that it is about; true: of one whose number is not known",
      ),
    branch: Branch.optional().describe("Branch to begin from, rather than the default branch"),
    resourceLimits: z
      .strictObject({
        memory: z
          .union([z.string(), z.int().transform(String)])
          .optional()
          .describe("Memory of its sandbox, as 4g"),
        cpuShares: wholeNumber.optional().describe("Share of the processors; 1024 is usual"),
        pidsLimit: wholeNumber.optional().describe("Processes in its sandbox"),
      })
      .pipe(SessionLimits)
      .optional(),
    id: TaskId.optional().describe("Name by which others need it"),
    needs: z
      .array(TaskId)
      .max(LIMITS.dependencies)
      .default([])
      .describe("Ids of tasks that have to complete before"),
    type: TaskType.default("implementation").describe("What kind of work it is"),
    budget: SessionBudget.optional().describe("What it may use of its model"),
    timeout: z.int().min(1).optional().describe("Time limit in seconds, from when it gets a slot"),
  })
  .refine(({ issue, pr }) => issue === undefined || pr === undefined || pr === false, {
    message: "is about an issue or about a pull request, not both",
    path: ["pr"],
  });
export type BatchTask = z.infer<typeof BatchTask>;

export const BatchFile = z.array(BatchTask).min(1).max(PLAN_BOUNDS.tasks);

/** A task with the name by which it is called. */
export type NamedTask = BatchTask & { id: string };

/** What is wrong with a file, and where, as `2.needs.0`. */
export class BatchFault extends Error {
  override name = "BatchFault";
}

/**
 * The tasks of a file, each with a name: its own, or its number.
 *
 * @throws BatchFault when it is no such file, needs what is not there, or goes round in a circle.
 */
export function parseBatch(value: unknown): NamedTask[] {
  const parsed = BatchFile.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.map(String).join(".") ?? "";
    throw new BatchFault(
      `${path === "" ? "the file" : path}: ${issue?.message ?? "makes no sense"}`,
    );
  }
  const tasks = parsed.data.map((task, index) => ({ ...task, id: task.id ?? `task-${index + 1}` }));
  const fault = planFault(planOf(tasks), { maxTasks: PLAN_BOUNDS.tasks });
  if (fault !== null)
    throw new BatchFault(
      `${fault.path.replace(/^tasks\./, "")}: ${fault.reason.replace(/tasks\./g, "task ")}`,
    );
  return tasks;
}

/** What says who comes after whom. */
export function planOf(tasks: readonly NamedTask[]): Plan {
  return Plan.parse({
    tasks: tasks.map(({ id, type, needs }) => ({ id, title: id, type, requirements: id, needs })),
  });
}

/** JSON Schema of these files, for editors. */
export function batchSchema(): string {
  const schema = z.toJSONSchema(BatchFile, { io: "input" });
  return `${JSON.stringify({ title: "Tasks for claude-hub batch", ...schema }, null, 2)}\n`;
}
