import { z } from "zod";
import { Event } from "../../core/event.ts";
import { Id } from "../../core/id.ts";
import { SessionStatus } from "../../core/session.ts";
import { mcpTool } from "../tool.ts";
import { artifactsView, ArtifactsView, BOUNDS, cut } from "../views.ts";

const session_id = Id.describe("The session's id.");
const LINES = { usual: 50, most: 1_000 };
const EVENTS = { usual: 50, most: 500 };
/** Of one answer; a single event may be longer. */
const EVENT_CHARS = 100_000;
const DIFF_CHARS = { usual: 50_000, most: 500_000 };

export const getSessionOutput = mcpTool({
  name: "get_session_output",
  title: "Get a session's output",
  description:
    "What a session has made and said: summary, next steps, artifacts, and the last lines of its log. Complete once it has ended.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({
    session_id,
    log_lines: z.int().min(0).max(LINES.most).default(LINES.usual).describe("How many lines."),
  }),
  output: z.object({
    sessionId: z.string(),
    status: SessionStatus,
    error: z.string().nullable(),
    output: ArtifactsView.extend({
      summary: z.string(),
      nextSteps: z.array(z.string()),
      logs: z.array(z.string()),
    }),
  }),
  async run({ session_id: id, log_lines: lines }, { sessions }) {
    const { status, error } = await sessions.get(id);
    const { summary, nextSteps, artifacts, logs } = await sessions.output(id);
    return {
      sessionId: id,
      status,
      error,
      output: {
        ...artifactsView(artifacts),
        summary: cut(summary, BOUNDS.summaryChars),
        nextSteps,
        logs: logs
          .slice(Math.max(0, logs.length - lines))
          .map((line) => cut(line, BOUNDS.lineChars)),
      },
    };
  },
});

export const getSessionArtifacts = mcpTool({
  name: "get_session_artifacts",
  title: "Get a session's artifacts",
  description: "Files, commits and pull requests that a session has made, as git and GitHub say.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({ session_id }),
  output: ArtifactsView,
  run: async (input, { sessions }) => artifactsView(await sessions.artifacts(input.session_id)),
});

export const getSessionDiff = mcpTool({
  name: "get_session_diff",
  title: "Get a session's diff",
  description: "The whole work of a session as one unified diff; empty until it has ended.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({
    session_id,
    offset: z.int().min(0).default(0).describe("next_offset of the part before."),
    max_chars: z.int().min(1).max(DIFF_CHARS.most).default(DIFF_CHARS.usual),
  }),
  output: z.object({
    diff: z.string(),
    total_chars: z.int(),
    next_offset: z.int().nullable().describe("Where it goes on; null: it does not."),
  }),
  async run({ session_id: id, offset, max_chars: most }, { sessions }) {
    const diff = await sessions.diff(id);
    const end = offset + most;
    return {
      diff: diff.slice(offset, end),
      total_chars: diff.length,
      next_offset: end < diff.length ? end : null,
    };
  },
});

export const getSessionEvents = mcpTool({
  name: "get_session_events",
  title: "Get a session's events",
  description:
    "A session's log, from any place on: what the agent said, which tools it called, what was pushed.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({
    session_id,
    after: z.int().min(0).max(2_147_483_647).default(0).describe("The last seq that is known."),
    limit: z.int().min(1).max(EVENTS.most).default(EVENTS.usual),
  }),
  output: z.object({
    events: z.array(Event),
    next_after: z.int().nullable().describe("Where it goes on; null: that is all so far."),
  }),
  async run({ session_id: id, after, limit }, { sessions, events }) {
    await sessions.get(id);
    const found = await events.readAfter(id, after, limit + 1);
    const shown = fitting(found.slice(0, limit));
    const last = shown.at(-1);
    return {
      events: shown,
      next_after: last !== undefined && shown.length < found.length ? last.seq : null,
    };
  },
});

/** As many as an answer holds, and one at the least. */
function fitting(events: Event[]): Event[] {
  let chars = 0;
  const end = events.findIndex((event, index) => {
    chars += JSON.stringify(event).length;
    return index > 0 && chars > EVENT_CHARS;
  });
  return end === -1 ? events : events.slice(0, end);
}
