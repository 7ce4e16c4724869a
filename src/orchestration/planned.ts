import { newId } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import type { Orchestration, OrchestrationTerms } from "../core/orchestration.ts";
import { graphOf } from "../core/plan-graph.ts";
import type { PlanEdge, PlanGraph } from "../core/plan-graph.ts";
import type { Plan, PlanTask } from "../core/plan.ts";
import type { SessionOptions } from "../core/session.ts";
import type { GraphNode } from "../sessions/graph.ts";
import type { NewTaskRow } from "../store/orchestrations/orchestration-writes.ts";

/** Of the whole request, in each of its parts. */
const CONTEXT_CHARS = 16_000;

/** The sessions of a plan, with what each is there for. */
export interface Planned {
  nodes: GraphNode[];
  rows: NewTaskRow[];
}

type Edges = Pick<Required<GraphNode>, "waitsFor" | "undecided"> & { dependencies: Id[] };

/** Makes the sessions of a plan: each attempt at a task is one. */
export function planned(
  orchestration: Orchestration,
  plan: Plan,
  terms: OrchestrationTerms,
): Planned {
  const graph = graphOf(plan);
  const made: Planned = { nodes: [], rows: [] };
  const sessions = new Map<string, Id[]>();
  for (const task of graph.tasks) {
    const edges = edgesTo(
      graph,
      graph.edges.filter((edge) => edge.task === task.id),
      sessions,
    );
    const ids: Id[] = [];
    for (let attempt = 1; attempt <= task.attempts; attempt += 1) {
      const id = newId();
      ids.push(id);
      made.nodes.push({ ...nodeOf(orchestration, task, id, edges), terms: termsOf(terms, task) });
      made.rows.push({
        sessionId: id,
        orchestrationId: orchestration.id,
        role: "task",
        taskId: task.id,
        title: task.title,
        attempt,
        attempts: task.attempts,
        spares: sparesOf(task),
      });
    }
    sessions.set(task.id, ids);
  }
  return made;
}

/** Before the ids of what depends on it, so that nothing ever depends on a younger session. */
function sparesOf({ onFailure }: PlanTask): Id[] {
  const count = typeof onFailure === "object" ? onFailure.retry : 0;
  return Array.from({ length: count }, () => newId());
}

function edgesTo(
  { tasks }: PlanGraph,
  given: readonly Pick<PlanEdge, "after" | "why">[],
  sessions: ReadonlyMap<string, Id[]>,
): Edges {
  const edges: Edges = { dependencies: [], waitsFor: [], undecided: [] };
  for (const { after, why } of given) {
    const task = tasks.find(({ id }) => id === after);
    const isNeeded = why !== "files" && task?.onFailure !== "continue";
    const ids = sessions.get(after) ?? [];
    if (!isNeeded) edges.waitsFor.push(...ids);
    else if (ids.length === 1) edges.dependencies.push(...ids);
    else edges.undecided.push(...ids);
  }
  return edges;
}

function nodeOf(
  { project, metadata, options }: Orchestration,
  task: PlanTask,
  id: Id,
  { dependencies, ...edges }: Edges,
): GraphNode {
  return {
    id,
    ...edges,
    session: {
      type: task.type,
      project: { ...project, requirements: task.requirements, context: contextOf(project) },
      dependencies,
      metadata,
      options: optionsOf(options, task.budget?.minutes),
    },
  };
}

/** A task's budget is within what is laid down for all. */
export function termsOf(
  { workModel: model, maxTokens, maxCostUsd }: OrchestrationTerms,
  { budget, check }: Pick<PlanTask, "budget" | "check">,
) {
  return {
    model,
    maxTokens: least(budget?.maxTokens, maxTokens),
    maxCostUsd: least(budget?.maxCostUsd, maxCostUsd),
    check: check ?? null,
  };
}

function least(one: number | undefined, other: number | null): number | null {
  return one === undefined || other === null ? (one ?? other) : Math.min(one, other);
}

/** Of what is said for all of them, what holds for one. */
export function optionsOf({ timeout, limits }: SessionOptions, minutes: number | undefined) {
  const own = minutes === undefined ? timeout : minutes * 60;
  return {
    ...(limits === undefined ? {} : { limits }),
    ...(own === undefined ? {} : { timeout: own }),
    ...(minutes === undefined ? {} : { budget: { minutes } }),
  };
}

/** What whoever does a part is told of the whole. */
export function contextOf({ requirements, context }: Orchestration["project"]): string {
  const parts = [`This is one part of a larger request, which is not yours to do:`, requirements];
  if (context !== undefined) parts.push(context);
  return parts.join("\n\n").slice(0, CONTEXT_CHARS).toWellFormed();
}
