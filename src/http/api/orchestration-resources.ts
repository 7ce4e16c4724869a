import { z } from "zod";
import { BudgetView } from "../../core/budget.ts";
import {
  OrchestrationKind,
  OrchestrationRole,
  OrchestrationState,
  TaskPlace,
} from "../../core/orchestration.ts";
import type { Orchestration } from "../../core/orchestration.ts";
import { Plan } from "../../core/plan.ts";
import {
  Metadata,
  Project,
  SessionOptions,
  SessionStatus,
  SessionType,
} from "../../core/session.ts";
import { SessionResource } from "./resources.ts";

const time = z.iso.datetime();

const fields = {
  id: z.uuid(),
  kind: OrchestrationKind,
  state: OrchestrationState,
  project: Project,
  metadata: Metadata,
  options: SessionOptions,
  autoStart: z.boolean(),
  planVersion: z.int().meta({ description: "Counts the changes of the plan; 0: there is none." }),
  error: z.string().nullable(),
  summary: z.string().nullable(),
  branch: z.string().nullable().meta({ description: "Where the work of all is in the end." }),
  pullRequestUrl: z.string().nullable(),
  createdAt: time,
  startedAt: time.nullable(),
  cancelRequestedAt: time.nullable(),
  endedAt: time.nullable(),
};

const EdgeResource = z
  .object({
    task: z.string(),
    after: z.string(),
    why: z.enum(["needs", "strategy", "files"]),
    reason: z.string().nullable(),
  })
  .meta({ id: "PlanEdge" });

const OrchestratedSessionResource = z
  .object({
    sessionId: z.uuid(),
    role: OrchestrationRole.nullable(),
    taskId: z.string().nullable(),
    title: z.string().nullable(),
    attempt: z.int(),
    round: z.int(),
    place: TaskPlace,
    type: SessionType,
    status: SessionStatus,
    error: z.string().nullable(),
    workBranch: z.string().nullable(),
    dependencies: z.array(z.uuid()).meta({ description: "Have to complete before." }),
    waitsFor: z.array(z.uuid()).meta({ description: "Have to end before, whichever way." }),
    requestedAt: time.nullable(),
    startedAt: time.nullable(),
    completedAt: time.nullable(),
    costUsd: z.number(),
  })
  .meta({ id: "OrchestratedSession" });

/** An orchestration as it is made. */
export const OrchestratedResource = z
  .object({
    orchestrationId: z.uuid(),
    status: SessionStatus,
    sessions: z.array(SessionResource),
    summary: z.string(),
    state: OrchestrationState,
    planVersion: z.int(),
  })
  .meta({ id: "NewOrchestration" });

/** An orchestration with its graph. */
export const OrchestrationResource = z
  .object({
    ...fields,
    plan: Plan.nullable(),
    edges: z.array(EdgeResource),
    budget: BudgetView.meta({ description: "Of all sessions together." }),
    sessions: z.array(OrchestratedSessionResource),
  })
  .meta({ id: "Orchestration" });

export const OrchestrationPageResource = z
  .object({
    orchestrations: z.array(z.object(fields).meta({ id: "OrchestrationSummary" })),
    nextCursor: z.uuid().nullable(),
  })
  .meta({ id: "OrchestrationPage" });

/** Without its plan, which may be long. */
export function orchestrationSummary(orchestration: Orchestration) {
  const { plan: _, ...rest } = orchestration;
  return rest;
}
