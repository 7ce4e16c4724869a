import { z } from "zod";
import { Project } from "../../core/session.ts";
import { mcpTool } from "../tool.ts";
import { sessionView, SessionView } from "../views.ts";

const MINUTE_S = 60;
const WEEK_MINUTES = 10_080;

export const createOrchestration = mcpTool({
  name: "create_orchestration",
  title: "Create an orchestration",
  description:
    "Has one request split over several sessions: makes a coordinating session, and the orchestration that it and its children " +
    "belong to.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({
    repository: Project.shape.repository.describe("owner/name"),
    requirements: Project.shape.requirements.describe("The whole request."),
    context: Project.shape.context.describe("What else there is to know."),
    branch: Project.shape.branch.describe("The branch to begin from; else the default branch."),
    auto_start: z.boolean().default(false),
    timeout_minutes: z.int().min(1).max(WEEK_MINUTES).optional(),
  }),
  output: z.object({
    orchestrationId: z.string(),
    status: z.string(),
    summary: z.string(),
    sessions: z.array(SessionView),
  }),
  async run({ auto_start: autoStart, timeout_minutes: minutes, ...project }, { orchestrations }) {
    const made = await orchestrations.create({
      sessionType: "coordination",
      autoStart,
      project,
      options: minutes === undefined ? {} : { timeout: minutes * MINUTE_S },
    });
    const { orchestrationId, status, summary } = made;
    return { orchestrationId, status, summary, sessions: made.sessions.map(sessionView) };
  },
});
