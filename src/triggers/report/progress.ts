import { z } from "zod";
import type { Event } from "../../core/event.ts";
import { cut } from "./neutralise.ts";

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
  branch: { name: string; url: string | null } | null;
  model: string | null;
  refusals: number;
  log: string[];
}

export const NO_PROGRESS: Progress = {
  lastSeq: 0,
  waitsFor: null,
  step: "",
  plan: [],
  branch: null,
  model: null,
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
      next.step = cut(text("text").split("\n")[0] ?? "", LINE_CHARS);
      say(text("text"));
      break;
    case "tool.called": {
      const todos = Todos.safeParse(body["input"]);
      if (todos.success && text("tool") === "TodoWrite")
        next.plan = todos.data.todos.slice(0, MAX_TASKS).map(({ content, status }) => ({
          text: cut(content, LINE_CHARS),
          state: STATES[status],
        }));
      else say(`${text("tool")} ${describe(body["input"])}`);
      break;
    }
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
