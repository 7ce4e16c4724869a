import { z } from "zod";
import type { BudgetView } from "./budget.ts";
import type { Id } from "./id.ts";
import type { PlanEdge } from "./plan-graph.ts";
import type { Plan } from "./plan.ts";
import type { Metadata, Project, SessionOptions, SessionStatus, SessionType } from "./session.ts";

/**
 * An orchestration's life. A plan is asked for (`proposing`), there to be read and changed (`proposed`), and runs once it
 * is approved. One without a plan of the hub's begins `approved`: its coordinating session waits to be started.
 *
 *   proposing ──▶ proposed ──approve──▶ running ──▶ completed | failed | cancelled
 *       └── failed                          ▲
 *                    approved ────start─────┘
 *
 * All but the last three can be cancelled; those are final.
 */
export const OrchestrationState = z.enum([
  "proposing",
  "proposed",
  "approved",
  "running",
  "completed",
  "failed",
  "cancelled",
]);
export type OrchestrationState = z.infer<typeof OrchestrationState>;

const NEXT: Record<OrchestrationState, readonly OrchestrationState[]> = {
  proposing: ["proposed", "running", "failed", "cancelled"],
  proposed: ["running", "cancelled"],
  approved: ["running", "completed", "failed", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: [],
};

export function mayBecome(from: OrchestrationState, to: OrchestrationState): boolean {
  return NEXT[from].includes(to);
}

export function isOver(state: OrchestrationState): boolean {
  return NEXT[state].length === 0;
}

/** `coordinate`: a session coordinates others. `plan`: the hub runs a plan. */
export const OrchestrationKind = z.enum(["coordinate", "plan"]);
export type OrchestrationKind = z.infer<typeof OrchestrationKind>;

/** What a session is there for in an orchestration; null: it was added from outside. */
export const OrchestrationRole = z.enum(["coordinator", "planner", "task", "integrator"]);
export type OrchestrationRole = z.infer<typeof OrchestrationRole>;

/**
 * `current`: it counts. `replaced`: it failed, and another one was made in its place. `chosen`, `passed_over`: of several
 * attempts.
 */
export const TaskPlace = z.enum(["current", "replaced", "chosen", "passed_over"]);
export type TaskPlace = z.infer<typeof TaskPlace>;

export interface Orchestration {
  id: Id;
  kind: OrchestrationKind;
  state: OrchestrationState;
  project: Project;
  metadata: Metadata;
  options: SessionOptions;
  /** Runs without being approved. */
  autoStart: boolean;
  plan: Plan | null;
  /** Counts the plan's changes; an approval names the one that was read. */
  planVersion: number;
  /** Why it failed, or was cancelled; one sentence. */
  error: string | null;
  /** What came of it, in one sentence. */
  summary: string | null;
  /** Where the work of all is in the end. */
  branch: string | null;
  pullRequestUrl: string | null;
  createdAt: string;
  startedAt: string | null;
  cancelRequestedAt: string | null;
  endedAt: string | null;
}

/** An orchestration with its graph. */
export interface OrchestrationView extends Orchestration {
  /** Who comes after whom, and why; of what the plan did not say itself with the reason. */
  edges: PlanEdge[];
  /** Of all sessions together. */
  budget: BudgetView;
  /** Oldest first. */
  sessions: OrchestratedSession[];
}

/** What the hub itself lays down for the sessions of an orchestration that it makes. Callers have no say in it. */
export const OrchestrationTerms = z.object({
  /** In place of the hub's; null: that one. */
  planModel: z.string().nullable().default(null),
  workModel: z.string().nullable().default(null),
  /** Of each session; they only narrow what the operator grants. */
  maxTokens: z.int().positive().nullable().default(null),
  maxCostUsd: z.number().positive().nullable().default(null),
});
export type OrchestrationTerms = z.infer<typeof OrchestrationTerms>;

export const NO_TERMS: OrchestrationTerms = OrchestrationTerms.parse({});

/** A session of an orchestration, as far as its graph is concerned. */
export interface OrchestratedSession {
  sessionId: Id;
  role: OrchestrationRole | null;
  /** Of the plan; null: it is of no task. */
  taskId: string | null;
  title: string | null;
  /** Of several that are made for the same task, from 1 on. */
  attempt: number;
  /** Made in place of one that failed: 2 and more. */
  round: number;
  place: TaskPlace;
  type: SessionType;
  status: SessionStatus;
  error: string | null;
  workBranch: string | null;
  /** Has to complete before. */
  dependencies: Id[];
  /** Has to have ended before, whichever way. */
  waitsFor: Id[];
  requestedAt: string | null;
  startedAt: string | null;
  completedAt: string | null;
  costUsd: number;
}
