import { z } from "zod";
import { Id } from "../../core/id.ts";
import { OrchestrationRole, OrchestrationState, TaskPlace } from "../../core/orchestration.ts";
import { Plan } from "../../core/plan.ts";
import { Project, SessionStatus, SessionType } from "../../core/session.ts";
import type { OrchestrationView } from "../../core/orchestration.ts";
import { mcpTool } from "../tool.ts";
import { BOUNDS, cut, sessionView, SessionView } from "../views.ts";

const MINUTE_S = 60;
const WEEK_MINUTES = 10_080;
const orchestration_id = Id.describe("The orchestration's id.");
const plan_version = z.int().min(0).describe("planVersion of the plan that was read.");

const View = z.object({
  id: z.string(),
  state: OrchestrationState,
  repository: z.string(),
  planVersion: z.int(),
  plan: Plan.nullable().describe("What waits to be approved, or runs."),
  error: z.string().nullable(),
  summary: z.string().nullable(),
  branch: z.string().nullable().describe("Where the work of all is in the end."),
  pullRequestUrl: z.string().nullable(),
  sessions: z.array(
    z.object({
      sessionId: z.string(),
      role: OrchestrationRole.nullable(),
      taskId: z.string().nullable(),
      title: z.string().nullable(),
      place: TaskPlace,
      type: SessionType,
      status: SessionStatus,
      error: z.string().nullable(),
      workBranch: z.string().nullable(),
      dependencies: z.array(z.string()),
    }),
  ),
});

function view(orchestration: OrchestrationView): z.input<typeof View> {
  const { summary } = orchestration;
  return {
    id: orchestration.id,
    state: orchestration.state,
    repository: orchestration.project.repository,
    planVersion: orchestration.planVersion,
    plan: orchestration.plan,
    error: orchestration.error,
    summary: summary === null ? null : cut(summary, BOUNDS.summaryChars),
    branch: orchestration.branch,
    pullRequestUrl: orchestration.pullRequestUrl,
    sessions: orchestration.sessions,
  };
}

export const createOrchestration = mcpTool({
  name: "create_orchestration",
  title: "Create an orchestration",
  description:
    "Has one request split over several sessions: by a coordinating session; or, with plan, as a graph of tasks that is read " +
    "and approved first.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({
    repository: Project.shape.repository.describe("owner/name"),
    requirements: Project.shape.requirements.describe("The whole request."),
    context: Project.shape.context.describe("What else there is to know."),
    branch: Project.shape.branch.describe("The branch to begin from; else the default branch."),
    plan: z
      .union([z.literal("propose"), Plan])
      .optional()
      .describe("propose: a session makes it. Left out: a session coordinates."),
    auto_start: z.boolean().default(false).describe("A plan then runs without being approved."),
    timeout_minutes: z.int().min(1).max(WEEK_MINUTES).optional(),
  }),
  output: z.object({
    orchestrationId: z.string(),
    status: SessionStatus,
    state: OrchestrationState,
    planVersion: z.int(),
    summary: z.string(),
    sessions: z.array(SessionView),
  }),
  async run(input, { orchestrations }) {
    const { auto_start: autoStart, timeout_minutes: minutes, plan, ...project } = input;
    const { sessions, ...made } = await orchestrations.create({
      sessionType: "coordination",
      autoStart,
      project,
      plan,
      options: minutes === undefined ? {} : { timeout: minutes * MINUTE_S },
    });
    return { ...made, sessions: sessions.map(sessionView) };
  },
});

export const getOrchestration = mcpTool({
  name: "get_orchestration",
  title: "Get an orchestration",
  description: "How an orchestration stands: its plan, its sessions, and what depends on what.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({ orchestration_id }),
  output: View,
  run: async (input, { orchestrations }) => view(await orchestrations.get(input.orchestration_id)),
});

export const changePlan = mcpTool({
  name: "change_plan",
  title: "Change a plan",
  description: "Puts another plan in the place of one that was proposed and does not run yet.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({ orchestration_id, plan: Plan, plan_version }),
  output: View,
  async run({ orchestration_id: id, plan, plan_version: version }, { orchestrations }) {
    return view(await orchestrations.changePlan(id, { plan, version }));
  },
});

export const approvePlan = mcpTool({
  name: "approve_plan",
  title: "Approve a plan",
  description: "Runs a plan that was proposed, as a graph of sessions.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({ orchestration_id, plan_version }),
  output: View,
  async run({ orchestration_id: id, plan_version: version }, { orchestrations }) {
    return view(await orchestrations.approve(id, version));
  },
});

export const cancelOrchestration = mcpTool({
  name: "cancel_orchestration",
  title: "Cancel an orchestration",
  description: "Cancels all sessions of an orchestration. Those that run end soon after.",
  scope: "write",
  effect: "ends",
  input: z.strictObject({ orchestration_id }),
  output: View,
  run: async (input, { orchestrations }) =>
    view(await orchestrations.cancel(input.orchestration_id)),
});
