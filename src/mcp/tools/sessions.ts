import { z } from "zod";
import { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import {
  Dependencies,
  NewSession,
  Project,
  SessionBudget,
  SessionStatus,
  SessionType,
} from "../../core/session.ts";
import { mcpTool } from "../tool.ts";
import { sessionView, SessionView } from "../views.ts";

const MINUTE_S = 60;
const WEEK_MINUTES = 10_080;
const session_id = Id.describe("The session's id.");

/** What it takes to make one, beside its type. */
export const NEW_SESSION = {
  repository: Project.shape.repository.describe("owner/name"),
  requirements: Project.shape.requirements.describe("What the agent shall do."),
  context: Project.shape.context.describe("What else it should know."),
  branch: Project.shape.branch.describe("The branch to begin from; else the default branch."),
  dependencies: Dependencies.optional().describe("Ids of sessions that have to complete before."),
  auto_start: z.boolean().optional().describe("Start as soon as the dependencies allow."),
  timeout_minutes: z
    .int()
    .min(1)
    .max(WEEK_MINUTES)
    .optional()
    .describe("Time limit, from when it gets a slot."),
  budget: SessionBudget.optional().describe("What it may use; less than it might have."),
};
const NewSessionInput = z.object({ session_type: SessionType, ...NEW_SESSION });

export function newSession(input: z.infer<typeof NewSessionInput>): NewSession {
  const { repository, requirements, context, branch, timeout_minutes: minutes, budget } = input;
  return NewSession.parse({
    type: input.session_type,
    project: { repository, requirements, context, branch },
    dependencies: input.dependencies,
    options: {
      autoStart: input.auto_start,
      ...(minutes === undefined ? {} : { timeout: minutes * MINUTE_S }),
      ...(budget === undefined ? {} : { budget }),
    },
  });
}

export const createSession = mcpTool({
  name: "create_session",
  title: "Create a session",
  description:
    "Makes a session: a coding agent that works on one task in a sandbox with a clone of a GitHub repository, and pushes " +
    "its work to a branch of its own. It starts when start_session is called, or by itself with auto_start. With " +
    "dependencies it runs after those have completed.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({
    session_type: SessionType.describe(
      "implementation and testing change and push; analysis and review read; coordination plans others.",
    ),
    ...NEW_SESSION,
  }),
  output: z.object({ session: SessionView }),
  run: async (input, { sessions }) => ({
    session: sessionView(await sessions.create(newSession(input))),
  }),
});

export const startSession = mcpTool({
  name: "start_session",
  title: "Start a session",
  description:
    "Starts a session that was created. While its dependencies are unfinished, or no slot is free, it is pending and starts by " +
    "itself later.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({ session_id }),
  output: z.object({
    session: SessionView,
    waitingFor: z.array(z.string()).describe("Unfinished dependencies."),
  }),
  async run(input, { sessions }) {
    const { session, waitingFor } = await sessions.start(input.session_id);
    return { session: sessionView(session), waitingFor };
  },
});

export const getSessionStatus = mcpTool({
  name: "get_session_status",
  title: "Get a session",
  description: "Says how a session stands.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({ session_id }),
  output: z.object({ session: SessionView }),
  run: async (input, { sessions }) => ({
    session: sessionView(await sessions.get(input.session_id)),
  }),
});

export const cancelSession = mcpTool({
  name: "cancel_session",
  title: "Cancel a session",
  description:
    "Cancels a session, and what depends on it. One that runs is told to end, and is cancelled soon after.",
  scope: "write",
  effect: "ends",
  input: z.strictObject({ session_id }),
  output: z.object({ session: SessionView }),
  run: async (input, { sessions }) => ({
    session: sessionView(await sessions.cancel(input.session_id)),
  }),
});

/** As the older server's clients say it. */
const Status = z.enum([...SessionStatus.options, "queued", "all"]);
const PAGE = 20;

export const listSessions = mcpTool({
  name: "list_sessions",
  title: "List sessions",
  description: "Lists sessions, the newest first.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({
    orchestration_id: Id.optional(),
    status: Status.optional(),
    repository: Project.shape.repository.optional(),
    limit: z.int().min(1).max(LIMITS.listPage).default(PAGE),
    cursor: Id.optional().describe("next_cursor of the page before."),
  }),
  output: z.object({ sessions: z.array(SessionView), next_cursor: z.string().nullable() }),
  async run({ orchestration_id: orchestrationId, status, ...query }, { sessions }) {
    const page = await sessions.list({ ...query, orchestrationId, status: statusOf(status) });
    return { sessions: page.sessions.map(sessionView), next_cursor: page.nextCursor };
  },
});

function statusOf(status: z.infer<typeof Status> | undefined): SessionStatus | undefined {
  if (status === "all") return undefined;
  return status === "queued" ? "pending" : status;
}
