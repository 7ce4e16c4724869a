import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import type { AgentEvent, AgentOutcome, AgentOutput } from "../agent.ts";
import {
  Answer,
  ControlAnswerLine,
  InitLine,
  LifecycleLine,
  MessageLine,
  QuestionLine,
  ReplayLine,
  ResultLine,
  RetryLine,
  ReturnedBlock,
  SaidBlock,
} from "./lines.ts";

/** Reads one run. What is no JSON becomes `agent.printed`, JSON that nobody knows `unknown`; nothing is dropped. */
export function createClaudeCodeOutput(): AgentOutput {
  let agentSessionId: string | null = null;
  let result: ResultLine | null = null;

  function read(line: string): AgentEvent[] {
    const json = parse(line);
    if (json === undefined) return [{ kind: "agent.printed", body: { line } }];
    const init = InitLine.safeParse(json);
    if (init.success) {
      agentSessionId = init.data.session_id.slice(0, 200).toWellFormed();
      const { model, tools } = init.data;
      return [{ kind: "agent.initialized", body: { agentSessionId, model, tools } }];
    }
    const heard = fromInput(json);
    if (heard !== null) return heard;
    const finished = ResultLine.safeParse(json);
    if (finished.success) {
      result = finished.data;
      return [turnFinished(finished.data)];
    }
    return fromMessage(json) ?? [{ kind: "unknown", body: { raw: line } }];
  }

  return {
    read,
    outcome: (exit) => outcomeOf(result, agentSessionId, exit),
  };
}

/** What only answers the input; null: it is something else. */
function fromInput(json: unknown): AgentEvent[] | null {
  const replay = ReplayLine.safeParse(json);
  if (replay.success) return [{ kind: "message.delivered", body: { id: replay.data.uuid } }];
  const answer = ControlAnswerLine.safeParse(json);
  if (answer.success)
    return [{ kind: "turn.interrupted", body: { id: answer.data.response.request_id } }];
  const question = QuestionLine.safeParse(json);
  if (question.success) {
    const { request, request_id: requestId } = question.data;
    const body = { requestId, tool: request.tool_name, input: request.input };
    return [{ kind: "approval.requested", body }];
  }
  return LifecycleLine.safeParse(json).success ? [] : null;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function fromMessage(json: unknown): AgentEvent[] | null {
  const message = MessageLine.safeParse(json);
  if (message.success) {
    const {
      type,
      uuid,
      message: { content },
    } = message.data;
    return content.map((block) => named(fromBlock(type, block), uuid));
  }
  const retry = RetryLine.safeParse(json);
  if (!retry.success) return null;
  const { attempt, max_retries, retry_delay_ms, error, error_status } = retry.data;
  const body = {
    attempt,
    maxRetries: max_retries,
    delayMs: Math.round(retry_delay_ms),
    error: error ?? error_status ?? null,
  };
  return [{ kind: "api.retried", body }];
}

/** Where the conversation can be cut, the event says how the agent calls that place. */
function named(event: AgentEvent, messageId: string | undefined): AgentEvent {
  if (messageId === undefined || !CUTS.includes(event.kind)) return event;
  return { ...event, body: { ...event.body, messageId } };
}
const CUTS: readonly AgentEvent["kind"][] = ["message.written", "tool.returned"];

/** Text in a user's message is what Claude Code tells the model, not what the agent says. */
function fromBlock(from: "assistant" | "user", json: unknown): AgentEvent {
  const said = from === "assistant" ? SaidBlock.safeParse(json) : null;
  if (said?.success === true) return fromSaid(said.data);
  const returned = ReturnedBlock.safeParse(json);
  if (!returned.success) return { kind: "unknown", body: { raw: JSON.stringify(json) } };
  const { tool_use_id, is_error, content } = returned.data;
  return {
    kind: "tool.returned",
    body: { id: tool_use_id, text: contentText(content), isError: is_error === true },
  };
}

function fromSaid(block: z.infer<typeof SaidBlock>): AgentEvent {
  switch (block.type) {
    case "text":
      return { kind: "message.written", body: { text: block.text } };
    case "thinking":
      return { kind: "thought.written", body: { text: block.thinking } };
    case "tool_use":
      return {
        kind: "tool.called",
        body: { id: block.id, tool: block.name, input: block.input },
      };
    default:
      return block satisfies never;
  }
}

function contentText(content: z.infer<typeof ReturnedBlock>["content"]): string {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  return content.map((part) => part.text ?? `[${part.type}]`).join("\n");
}

function turnFinished(line: ResultLine): AgentEvent {
  return {
    kind: "turn.finished",
    body: {
      isError: line.is_error,
      text: line.result,
      turns: line.num_turns,
      durationMs: Math.round(line.duration_ms),
      costUsd: line.total_cost_usd,
      usage: line.usage,
      denials: line.permission_denials,
    },
  };
}

function outcomeOf(
  result: ResultLine | null,
  agentSessionId: string | null,
  exit: { exitCode: number | null; signal: string | null },
): AgentOutcome {
  const answer = result === null ? null : answerOf(result);
  const said = {
    summary: (answer?.summary ?? result?.result ?? "").slice(0, LIMITS.summaryChars).toWellFormed(),
    nextSteps: (answer?.nextSteps ?? [])
      .slice(0, LIMITS.nextSteps)
      .map((step) => step.slice(0, 2_000).toWellFormed()),
    answer: result?.structured_output ?? null,
    agentSessionId,
  };
  const error = errorOf(result, exit);
  return error === null ? { ok: true, ...said } : { ok: false, error, ...said };
}

function errorOf(
  result: ResultLine | null,
  { exitCode, signal }: { exitCode: number | null; signal: string | null },
): string | null {
  if (result?.is_error === true || (result !== null && result.subtype.startsWith("error"))) {
    const why = result.result || result.errors.join("; ") || result.subtype;
    return `The agent reported an error: ${why}`.slice(0, 1_500).toWellFormed();
  }
  if (signal === "SIGKILL" || exitCode === 137)
    return "The agent was killed (exit code 137), perhaps because it ran out of memory";
  if (signal !== null) return `The agent was ended by ${signal}`;
  if (exitCode !== 0) return `The agent ended with exit code ${exitCode ?? "unknown"}`;
  return result === null ? "The agent ended without a result" : null;
}

function answerOf(result: ResultLine): Answer | null {
  const structured = Answer.safeParse(result.structured_output);
  if (structured.success) return structured.data;
  const written = Answer.safeParse(parse(result.result));
  return written.success ? written.data : null;
}
