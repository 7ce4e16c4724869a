import { createHash } from "node:crypto";
import { HubError } from "../../core/errors.ts";
import type { EventBody, EventKind } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { Tool, ToolCall } from "../../core/tool.ts";
import { createTurns } from "../../runtimes/turns.ts";
import type { CallPlace, ToolCallStore } from "../../store/sessions/tool-calls.ts";

/** Calls of one session, those that came to nothing included. */
const SESSION_CALLS = 500;
const ANSWER_CHARS = 20_000;

/** What the model is told of its call. */
export interface Told {
  text: string;
  isRefused: boolean;
}

/** One call, as it has come to the door. */
export interface Asked extends Pick<ToolCall, "signal" | "progress"> {
  sessionId: Id;
  tool: Tool;
  input: unknown;
  /** Names the request, also when it is sent again; null: nobody has named it. */
  request: string | null;
}

export type CallTool = (asked: Asked) => Promise<Told>;

/** Has calls done: each once, no more than its tool allows, one after the other in a session, all in its log. */
export function createCalls(options: {
  calls: ToolCallStore;
  record(sessionId: Id, kind: EventKind, body: EventBody): Promise<void>;
}): CallTool {
  const { calls, record } = options;
  // Of two that are the same, the second has to see what came of the first.
  const inTurn = createTurns();

  async function refuse(sessionId: Id, tool: string, reason: string): Promise<Told> {
    await record(sessionId, "request.refused", { tool, reason });
    return { text: reason, isRefused: true };
  }

  const run = ({ sessionId, tool, input, signal, progress }: Asked, ordinal: number) =>
    tool.run(input, {
      sessionId,
      ordinal,
      key: `tool:${sessionId}:${tool.name}:${ordinal}`,
      record: (kind, body) => record(sessionId, kind, body),
      signal,
      progress,
    });

  /** In no row, and not remembered: it changes nothing. */
  async function read(asked: Asked): Promise<Told> {
    try {
      return { text: await run(asked, 0), isRefused: false };
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return await refuse(asked.sessionId, asked.tool.name, error.message);
    }
  }

  async function perform(place: CallPlace, asked: Asked): Promise<Told> {
    const { sessionId, ordinal } = place;
    const { tool } = asked;
    try {
      const text = await run(asked, ordinal);
      const answer = text.slice(0, ANSWER_CHARS);
      await record(sessionId, "request.granted", { tool: tool.name, ordinal, answer });
      await calls.done(place, answer);
      return { text: answer, isRefused: false };
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      // What may have been done in spite of the error is asked for again under the same key.
      if (!error.retryable) await calls.refused(place);
      return await refuse(sessionId, tool.name, error.message);
    }
  }

  return (asked) => {
    const { sessionId, tool } = asked;
    if (tool.repeated === "reads") return read(asked);
    return inTurn(sessionId, async () => {
      const begun = await calls.begin({
        sessionId,
        tool: tool.name,
        digest: tool.repeated === "again" ? asked.request : digestOf(asked.input),
        limit: tool.limit,
        sessionLimit: SESSION_CALLS,
      });
      switch (begun.state) {
        case "done":
          return { text: begun.answer, isRefused: false };
        case "spent":
          return await refuse(
            sessionId,
            tool.name,
            begun.of === "tool"
              ? `${tool.name} can be used ${tool.limit} times in a session, and has been`
              : `a session has ${SESSION_CALLS} calls of the hub's tools, and has made them`,
          );
        case "run":
          return await perform({ sessionId, tool: tool.name, ordinal: begun.ordinal }, asked);
        default:
          return begun satisfies never;
      }
    });
  };
}

/** Of what the schema has made of the input, so that neither order nor blanks count. */
function digestOf(input: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(input)))
    .digest("base64url");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, one]): [string, unknown] => [key, sorted(one)]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
