import { readFile } from "node:fs/promises";
import { z } from "zod";

const Tokens = z.int().nonnegative();

/** One answer of the model. What is left out does not happen; `text` and `toolCalls` may stand together. */
export const Step = z.strictObject({
  thinking: z.string().optional(),
  text: z.string().optional(),
  /**
   * In a string of `input`, `{{cwd}}` becomes the agent's working directory, and `{{result:2:session.id}}` what the third
   * tool result of the conversation, which is JSON, has at that place.
   */
  toolCalls: z
    .array(z.strictObject({ name: z.string(), input: z.record(z.string(), z.json()) }))
    .default([]),
  /** Calls the tool `StructuredOutput`, which is how Claude Code gives its `--json-schema` answer. */
  structured: z.record(z.string(), z.json()).optional(),
  /** Answered this many times before the rest of the step is. */
  error: z
    .strictObject({
      status: z.int().min(400).max(599),
      type: z.string(),
      message: z.string(),
      times: z.int().positive().default(1),
      headers: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  /** Waited before the answer begins. */
  delayMs: z.int().nonnegative().default(0),
  /** Waited between two pieces of a streamed answer. */
  pieceMs: z.int().nonnegative().default(0),
  /** The connection is cut in the middle of the answer, the first time. */
  hangUp: z.boolean().default(false),
  /** Told as the call's usage; otherwise guessed from the lengths of request and answer. */
  usage: z
    .strictObject({
      inputTokens: Tokens.default(0),
      outputTokens: Tokens.default(0),
      cacheReadTokens: Tokens.default(0),
      cacheWriteTokens: Tokens.default(0),
    })
    .optional(),
});
export type Step = z.infer<typeof Step>;

/** A piece of text that must occur, or a regular expression (`{ "regex": "add (a|the) test", "flags": "i" }`). */
const Match = z.union([
  z.string().min(1),
  z.strictObject({ regex: z.string().refine(isRegex), flags: z.string().default("") }),
]);
type Match = z.infer<typeof Match>;

const Conversation = z.strictObject({
  /** Looked for in the system prompt and in what the user said; the first conversation that fits is played. */
  match: Match,
  /** Step n is the answer when the conversation holds n answers already. */
  steps: z.array(Step).min(1),
});

/** What the scripted model says: plain data, so that it can stand in a file. */
export const Scenario = z.strictObject({
  description: z.string().optional(),
  conversations: z.array(Conversation),
});
export type Scenario = z.infer<typeof Scenario>;
export type ScenarioInput = z.input<typeof Scenario>;

export async function readScenario(path: string | URL): Promise<Scenario> {
  return Scenario.parse(JSON.parse(await readFile(path, "utf8")));
}

const Content = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
]);

/** As much of a Messages API request as the script needs. */
export const MessagesRequest = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  system: Content.optional(),
  messages: z.array(z.looseObject({ role: z.string(), content: Content })).min(1),
  tools: z.array(z.looseObject({ name: z.string().optional() })).default([]),
  metadata: z.looseObject({ user_id: z.string().optional() }).optional(),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;

export interface Cue {
  /** Names the place in the script for this client, so that errors can be counted. */
  key: string;
  step: Step;
}

/** Finds what the script has for a request. */
export function findCue(scenario: Scenario, request: MessagesRequest): Cue {
  if (isSideCall(request)) return { key: "side", step: Step.parse({ text: "Scripted session" }) };
  const said = [request.system ?? "", ...userTexts(request)].map(textOf).join("\n");
  const place = scenario.conversations.findIndex(({ match }) => matches(match, said));
  const conversation = scenario.conversations[place];
  if (conversation === undefined) {
    return { key: "none", step: Step.parse({ text: "The script has no conversation for this." }) };
  }
  const turn = request.messages.filter((message) => message.role === "assistant").length;
  const step = conversation.steps[turn];
  if (step === undefined) {
    return { key: "end", step: Step.parse({ text: "The script has no further step." }) };
  }
  return { key: `${place}/${turn}/${request.metadata?.user_id ?? ""}`, step };
}

/** The agent's working directory, as Claude Code tells it to the model. */
export function workingDirectoryOf(request: MessagesRequest): string | undefined {
  const told = [request.system ?? "", ...userTexts(request)].map(textOf).join("\n");
  return /working directory: (\S+)/i.exec(told)?.[1];
}

const ToolResult = z.looseObject({ type: z.literal("tool_result"), content: Content.optional() });

/** What tools have answered, in their order. */
export function toolResultsOf({ messages }: MessagesRequest): string[] {
  return messages
    .flatMap(({ content }) => (typeof content === "string" ? [] : content))
    .flatMap((block) => {
      const result = ToolResult.safeParse(block);
      return result.success ? [textOf(result.data.content ?? "")] : [];
    });
}

/** Claude Code has titles and summaries written in calls without tools, which quote the prompt. */
function isSideCall({ tools, model, system }: MessagesRequest): boolean {
  if (tools.length > 0) return false;
  return model.includes("haiku") || /\b(title|topic|summari[sz]e)\b/i.test(textOf(system ?? ""));
}

function userTexts(request: MessagesRequest): z.infer<typeof Content>[] {
  return request.messages
    .filter((message) => message.role !== "assistant")
    .map((message) => message.content);
}

function textOf(content: z.infer<typeof Content>): string {
  if (typeof content === "string") return content;
  return content
    .map((block) => (block.type === "text" ? (block.text ?? "") : ""))
    .filter((text) => text !== "")
    .join("\n");
}

function matches(match: Match, text: string): boolean {
  if (typeof match === "string") return text.includes(match);
  return new RegExp(match.regex, match.flags).test(text);
}

function isRegex(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}
