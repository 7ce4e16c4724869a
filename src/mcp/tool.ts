import { z } from "zod";
import type { Scope } from "../core/access.ts";
import type { Id } from "../core/id.ts";
import type { Session } from "../core/session.ts";
import type { Fork, Message, NextTask, Retry } from "../core/talk.ts";
import type { Sent } from "../sessions/talk/talk.ts";
import type { McpDeps } from "./deps.ts";

/** What who calls says to the sessions that are there for them. */
export interface McpTalk {
  message(id: Id, message: Message): Promise<Sent>;
  interrupt(id: Id): Promise<Sent>;
  continueWith(id: Id, task: NextTask): Promise<Session>;
  fork(id: Id, fork: Fork): Promise<Session>;
  retry(id: Id, how: Retry): Promise<Session>;
}

/** What a call may use: sessions and orchestrations as far as they are there for who calls. */
export interface McpCall extends Pick<
  McpDeps,
  "sessions" | "orchestrations" | "events" | "feed" | "settings"
> {
  /** Left out: who calls talks to no sessions. */
  talk?: McpTalk;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
  /** Tells who waits, if he wants to be told. */
  progress(message: string): void;
}

/** What a client may have the hub do. */
export interface McpTool {
  /** `verb_noun`. */
  name: string;
  title: string;
  /** For the model. */
  description: string;
  scope: Scope;
  /** What has begun to be is not undone by calling it again, or it is. */
  effect: "reads" | "adds" | "ends";
  input: z.ZodObject;
  output: z.ZodObject;
  /** @throws HubError which says why it is not done. */
  run(input: unknown, call: McpCall): Promise<Record<string, unknown>>;
}

/** Has a tool's `run` take what its schema has made of the input, and give what its other schema says. */
export function mcpTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Omit<McpTool, "input" | "output" | "run"> & {
    input: Input;
    output: Output;
    run(input: z.infer<Input>, call: McpCall): Promise<z.input<Output>>;
  },
): McpTool {
  return {
    ...tool,
    run: async (input, call) => tool.output.parse(await tool.run(tool.input.parse(input), call)),
  };
}

/** A tool as it is listed. */
export function described(tool: McpTool) {
  const { name, title, description, effect } = tool;
  return {
    name,
    title,
    description,
    inputSchema: asJsonSchema(tool.input, "input"),
    outputSchema: asJsonSchema(tool.output, "output"),
    annotations: {
      readOnlyHint: effect === "reads",
      destructiveHint: effect === "ends",
      openWorldHint: false,
    },
  };
}

const JsonSchema = z.object({
  type: z.literal("object"),
  properties: z.record(z.string(), z.json()),
  required: z.array(z.string()).default([]),
  additionalProperties: z.boolean().default(false),
});

function asJsonSchema(schema: z.ZodObject, io: "input" | "output") {
  return JsonSchema.parse(z.toJSONSchema(schema, { io }));
}

const REASONS = 5;

/** What is wrong with arguments, each with its name. */
export function whyNot({ issues }: z.ZodError): string {
  return issues
    .slice(0, REASONS)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
    .join("; ")
    .slice(0, 1_000);
}
