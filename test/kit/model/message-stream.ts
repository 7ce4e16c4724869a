import { randomBytes } from "node:crypto";
import type { MessagesRequest, Step } from "./scenario.ts";

type Block =
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: unknown };

interface Usage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
}

/** A whole answer of the Messages API, as a client that does not stream gets it. */
export interface Message {
  id: string;
  type: "message";
  role: "assistant";
  model: string;
  content: Block[];
  stop_reason: "tool_use" | "end_turn";
  stop_sequence: null;
  usage: Usage;
}

export interface StreamEvent {
  type: string;
  [field: string]: unknown;
}

/** Turns a step of the script into an answer. `requestBytes` is what the input tokens are guessed from. */
export function messageFor(
  step: Step,
  request: MessagesRequest,
  { requestBytes, ...filling }: Filling & { requestBytes: number },
): Message {
  const content = blocksOf(step, filling);
  const answerBytes = JSON.stringify(content).length;
  const earlier = request.messages.length > 1 ? Math.floor(requestBytes * 0.9) : 0;
  return {
    id: newId("msg_"),
    type: "message",
    role: "assistant",
    model: request.model,
    content,
    stop_reason: content.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: step.usage
      ? {
          input_tokens: step.usage.inputTokens,
          cache_creation_input_tokens: step.usage.cacheWriteTokens,
          cache_read_input_tokens: step.usage.cacheReadTokens,
          output_tokens: step.usage.outputTokens,
        }
      : {
          input_tokens: tokensIn(requestBytes - earlier),
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: earlier === 0 ? 0 : tokensIn(earlier),
          output_tokens: tokensIn(answerBytes),
        },
  };
}

/** About four bytes a token, never none. */
export function tokensIn(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 4));
}

/** The same answer as server-sent events, in the order of the real API. */
export function* streamOf(message: Message): Generator<StreamEvent> {
  const { content, stop_reason, stop_sequence, usage, ...head } = message;
  yield {
    type: "message_start",
    message: {
      ...head,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...usage, output_tokens: 1 },
    },
  };
  yield { type: "ping" };
  for (const [index, block] of content.entries()) {
    yield { type: "content_block_start", index, content_block: emptied(block) };
    for (const delta of deltasOf(block)) yield { type: "content_block_delta", index, delta };
    yield { type: "content_block_stop", index };
  }
  yield { type: "message_delta", delta: { stop_reason, stop_sequence }, usage };
  yield { type: "message_stop" };
}

/** What is filled in where the script leaves it open. */
interface Filling {
  cwd: string | undefined;
  /** Of tools, in their order. */
  results: string[];
}

function blocksOf(step: Step, filling: Filling): Block[] {
  const blocks: Block[] = [];
  if (step.thinking !== undefined) {
    blocks.push({ type: "thinking", thinking: step.thinking, signature: newId("") });
  }
  if (step.text !== undefined) blocks.push({ type: "text", text: step.text });
  for (const { name, input } of step.toolCalls) {
    blocks.push({ type: "tool_use", id: newId("toolu_"), name, input: placed(input, filling) });
  }
  if (step.structured !== undefined) {
    blocks.push({
      type: "tool_use",
      id: newId("toolu_"),
      name: "StructuredOutput",
      input: step.structured,
    });
  }
  // The API never answers with nothing at all.
  if (blocks.length === 0) blocks.push({ type: "text", text: "." });
  return blocks;
}

function placed(input: unknown, { cwd, results }: Filling): unknown {
  return JSON.parse(JSON.stringify(input), (_key, value: unknown) =>
    typeof value === "string"
      ? value
          .replaceAll("{{cwd}}", cwd ?? "{{cwd}}")
          .replaceAll(/\{\{result:(\d+):([\w.]+)\}\}/g, (open, index: string, path: string) =>
            partOf(results[Number(index)], path, open),
          )
      : value,
  );
}

function partOf(result: string | undefined, path: string, otherwise: string): string {
  let part: unknown;
  try {
    part = JSON.parse(result ?? "null");
  } catch {
    return otherwise;
  }
  for (const key of path.split("."))
    part =
      typeof part === "object" && part !== null
        ? Object.entries(part).find(([k]) => k === key)?.[1]
        : undefined;
  return typeof part === "string" ? part : otherwise;
}

function emptied(block: Block): Block {
  if (block.type === "thinking") return { ...block, thinking: "", signature: "" };
  return block.type === "text" ? { ...block, text: "" } : { ...block, input: {} };
}

function deltasOf(block: Block): StreamEvent[] {
  if (block.type === "text") {
    return pieces(block.text).map((text) => ({ type: "text_delta", text }));
  }
  if (block.type === "thinking") {
    return [
      ...pieces(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking })),
      { type: "signature_delta", signature: block.signature },
    ];
  }
  return ["", ...pieces(JSON.stringify(block.input))].map((partial_json) => ({
    type: "input_json_delta",
    partial_json,
  }));
}

/** About the size in which the real API streams; long texts come in at most 500 pieces. */
function pieces(text: string): string[] {
  const letters = Array.from(text);
  const size = Math.max(32, Math.ceil(letters.length / 500));
  const result: string[] = [];
  for (let at = 0; at < letters.length; at += size) {
    result.push(letters.slice(at, at + size).join(""));
  }
  return result;
}

function newId(prefix: string): string {
  return prefix + randomBytes(12).toString("hex");
}
