import { mayOverlap } from "./globs.ts";
import { inOrder } from "./plan.ts";
import type { Plan, PlanTask } from "./plan.ts";
import { writes } from "./policy.ts";

/** One task comes after another one. */
export interface PlanEdge {
  task: string;
  after: string;
  /** `files`: only so that they do not change the same side by side; whether the other one succeeds does not matter. */
  why: "needs" | "strategy" | "files";
  /** Of what the plan did not say itself. */
  reason: string | null;
}

export interface PlanGraph {
  /** Each after all that it comes after. */
  tasks: PlanTask[];
  edges: PlanEdge[];
  /** Tasks whose work no other task builds on, if all of them leave some: what is to be brought together at the end. */
  heads: string[];
}

/** The graph of a plan without faults; the same for the same plan. */
export function graphOf(plan: Plan): PlanGraph {
  const edges = plan.tasks.flatMap(({ id, needs }) =>
    needs.map((after): PlanEdge => ({ task: id, after, why: "needs", reason: null })),
  );
  edges.push(...strategyEdges(plan));
  if (!plan.sameFilesSideBySide) edges.push(...fileEdges(plan.tasks, edges));
  const after = groups(edges);
  const tasks = inOrder(plan.tasks, ({ id }) => after.get(id) ?? []);
  return { tasks, edges, heads: headsOf(tasks, after) };
}

/** Whether several branches may be left at the end, for one more session to bring together. */
export function mayIntegrate(plan: Plan): boolean {
  return plan.integrate && graphOf(plan).heads.length > 1;
}

function strategyEdges({ strategy, tasks }: Plan): PlanEdge[] {
  switch (strategy) {
    case "parallel":
      return [];
    case "sequential":
      return inOrder(tasks, ({ needs }) => needs).flatMap((task, index, all): PlanEdge[] => {
        const before = all[index - 1];
        if (before === undefined || task.needs.includes(before.id)) return [];
        const reason = "the strategy is sequential";
        return [{ task: task.id, after: before.id, why: "strategy", reason }];
      });
    case "wait_for_core":
      return coreEdges(tasks);
    default:
      return strategy satisfies never;
  }
}

function coreEdges(tasks: readonly PlanTask[]): PlanEdge[] {
  const marked = tasks.filter(({ core }) => core);
  const core = marked.length > 0 ? marked : tasks.filter(({ type }) => type === "implementation");
  const needs = new Map(tasks.map((task) => [task.id, task.needs]));
  // What the core itself needs cannot wait for it.
  const before = new Set(core.map(({ id }) => id));
  for (const id of before) for (const need of needs.get(id) ?? []) before.add(need);
  const reason = "the strategy is wait_for_core";
  return tasks
    .filter(({ id }) => !before.has(id))
    .flatMap((task) =>
      core
        .filter(({ id }) => !task.needs.includes(id))
        .map(({ id }): PlanEdge => ({ task: task.id, after: id, why: "strategy", reason })),
    );
}

/** Orders tasks that are expected to change the same files, as far as nothing else does. */
function fileEdges(tasks: readonly PlanTask[], given: readonly PlanEdge[]): PlanEdge[] {
  const after = groups(given);
  const ordered = inOrder(tasks, ({ id }) => after.get(id) ?? []);
  const before = new Map<string, Set<string>>();
  const added: PlanEdge[] = [];
  for (const [index, task] of ordered.entries()) {
    const mine = new Set<string>();
    const take = (id: string) => {
      mine.add(id);
      for (const other of before.get(id) ?? []) mine.add(other);
    };
    for (const id of after.get(task.id) ?? []) take(id);
    // The nearest first: what that one comes after needs no edge of its own.
    for (const other of ordered.slice(0, index).toReversed()) {
      if (mine.has(other.id)) continue;
      const same = sameFiles(task, other);
      if (same === null) continue;
      take(other.id);
      const reason = `both are expected to change ${same}`;
      added.push({ task: task.id, after: other.id, why: "files", reason });
    }
    before.set(task.id, mine);
  }
  return added;
}

/** In words; null: they are not expected to get in each other's way. */
function sameFiles(one: PlanTask, other: PlanTask): string | null {
  if (!writes(one.type) || !writes(other.type)) return null;
  for (const mine of one.files)
    for (const theirs of other.files)
      if (mayOverlap(mine, theirs)) return mine === theirs ? mine : `${mine} and ${theirs}`;
  return null;
}

/**
 * A session begins on the branch of the one before it, if there is exactly one that writes: looking back through those that
 * only read. Where there are several, it begins without their work.
 */
export function headsOf(
  tasks: readonly Pick<PlanTask, "id" | "type">[],
  after: ReadonlyMap<string, readonly string[]>,
): string[] {
  const branches = new Map<string, ReadonlySet<string>>();
  const built = new Set<string>();
  for (const { id, type } of tasks) {
    const basis = new Set((after.get(id) ?? []).flatMap((one) => [...(branches.get(one) ?? [])]));
    const [only] = basis;
    if (writes(type) && basis.size === 1 && only !== undefined) built.add(only);
    branches.set(id, writes(type) ? new Set([id]) : basis);
  }
  return tasks.filter(({ id, type }) => writes(type) && !built.has(id)).map(({ id }) => id);
}

function groups(edges: readonly PlanEdge[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { task, after } of edges) found.set(task, [...(found.get(task) ?? []), after]);
  return found;
}
