import { z } from "zod";
import { Approval } from "../../core/approval.ts";
import type { Event } from "../../core/event.ts";
import { cut } from "./neutralise.ts";

/** What a session asks people, and has no answer to yet. */
export const OpenQuestion = Approval.pick({
  id: true,
  kind: true,
  subject: true,
  detail: true,
  dueAt: true,
});
export type OpenQuestion = z.infer<typeof OpenQuestion>;

export interface Task {
  text: string;
  state: "open" | "begun" | "done";
}

/** What a session's log says of it, as far as people who wait want to know. */
export interface Progress {
  lastSeq: number;
  waitsFor: "dependencies" | "slot" | null;
  step: string;
  plan: Task[];
  /** The agent itself says how far it is, so nothing is guessed from what else it does. */
  isReported: boolean;
  branch: { name: string; url: string | null } | null;
  /** That the agent has had opened. */
  pullRequestUrl: string | null;
  model: string | null;
  questions: OpenQuestion[];
  refusals: number;
  log: string[];
}

export const NO_PROGRESS: Progress = {
  lastSeq: 0,
  waitsFor: null,
  step: "",
  plan: [],
  isReported: false,
  branch: null,
  pullRequestUrl: null,
  model: null,
  questions: [],
  refusals: 0,
  log: [],
};

const LOG_LINES = 30;
const LINE_CHARS = 200;
const MAX_TASKS = 30;

const Todos = z.object({
  todos: z
    .array(
      z.object({
        content: z.string(),
        status: z.enum(["pending", "in_progress", "completed"]).catch("pending"),
      }),
    )
    .max(200),
});
const STATES = { pending: "open", in_progress: "begun", completed: "done" } as const;

const Reported = z.object({
  plan: z
    .array(z.object({ text: z.string(), state: z.enum(["open", "begun", "done"]) }))
    .optional()
    .catch(undefined),
  step: z.string().optional().catch(undefined),
});
const HUB_TOOLS = "mcp__hub__";

function planOf(todos: z.infer<typeof Todos>["todos"]): Task[] {
  return todos.slice(0, MAX_TASKS).map(({ content, status }) => ({
    text: cut(content, LINE_CHARS),
    state: STATES[status],
  }));
}

/** One event more. */
export function step(progress: Progress, { seq, kind, body }: Event): Progress {
  const next: Progress = { ...progress, lastSeq: seq };
  const text = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
  const say = (line: string) => {
    const one = cut(line.replaceAll(/\s+/g, " ").trim(), LINE_CHARS);
    if (one !== "") next.log = [...progress.log, one].slice(-LOG_LINES);
  };
  switch (kind) {
    case "session.queued":
      next.waitsFor = body["reason"] === "dependencies" ? "dependencies" : "slot";
      break;
    case "session.admitted":
      next.waitsFor = null;
      next.step = "Preparing the sandbox";
      break;
    case "image.pulling":
      next.step = "Fetching the sandbox's image";
      break;
    case "workspace.cloned":
      next.step = "Starting the agent";
      break;
    case "setup.started":
      next.step = "Running the repository's setup";
      break;
    case "agent.initialized":
      next.model = text("model") || null;
      next.step = "Reading";
      break;
    case "message.written":
      if (!progress.isReported) next.step = cut(text("text").split("\n")[0] ?? "", LINE_CHARS);
      say(text("text"));
      break;
    case "tool.called": {
      // What the hub's own tools come to has events of its own.
      if (text("tool").startsWith(HUB_TOOLS)) break;
      const todos = Todos.safeParse(body["input"]);
      if (!todos.success || text("tool") !== "TodoWrite")
        say(`${text("tool")} ${describe(body["input"])}`);
      else if (!progress.isReported) next.plan = planOf(todos.data.todos);
      break;
    }
    case "progress.reported": {
      const { plan, step: now } = Reported.parse(body);
      next.isReported = true;
      if (plan !== undefined) next.plan = plan.slice(0, MAX_TASKS);
      if (now !== undefined) next.step = cut(now, LINE_CHARS);
      break;
    }
    case "request.granted":
      if (text("tool") === "create_pull_request")
        next.pullRequestUrl = /https?:\/\/[^\s()]+$/.exec(text("answer"))?.[0] ?? null;
      if (text("tool") !== "report_progress") say(`${text("tool")}: ${text("answer")}`);
      break;
    case "request.refused":
      say(`${text("tool")} refused: ${text("reason")}`);
      break;
    case "approval.requested": {
      const question = OpenQuestion.safeParse(body);
      if (question.success) next.questions = [...progress.questions, question.data];
      break;
    }
    case "approval.answered":
      next.questions = progress.questions.filter(({ id }) => id !== text("id"));
      say(`${text("decision") === "allow" ? "allowed" : "denied"} by ${text("by")}`);
      break;
    case "repository.awaited":
      next.step = `Waiting for the repository: ${text("reason")}`;
      break;
    case "repository.moved":
      say(`the repository is called ${text("to")} now`);
      break;
    case "branch.pushed":
      next.branch = { name: text("branch"), url: text("url") || null };
      say(`pushed ${text("branch")}`);
      break;
    case "push.refused":
    case "egress.refused":
    case "door.refused":
    case "model.refused":
      next.refusals += 1;
      say(`refused: ${text("reason") || text("service")}`);
      break;
    default:
      break;
  }
  return next;
}

const Input = z.object({
  description: z.string().optional(),
  file_path: z.string().optional(),
  command: z.string().optional(),
  pattern: z.string().optional(),
});

function describe(input: unknown): string {
  const { description, file_path, command, pattern } = Input.catch({}).parse(input);
  return description ?? file_path ?? pattern ?? command ?? "";
}
