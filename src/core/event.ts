import { z } from "zod";
import { LIMITS } from "./limits.ts";

/**
 * What can stand in a session's log: `noun.verbed`, or `unknown` for agent output that no parser knew (its raw line is
 * kept in `raw`). The body of each kind is a flat object; the comment gives its fields.
 */
export const EVENT_KINDS = [
  "session.created", // type, repository
  "session.queued", // waitingFor: ids; reason: dependencies | slot
  "session.admitted", // deadlineAt
  "session.started", // agent
  "session.cancelling", // reason
  "session.paused", // reason, until: when it goes on by itself
  "session.resumed", // pausedMs, deadlineAt
  "repository.awaited", // reason: it cannot be read yet, so the session cannot begin; it does once it can
  "repository.moved", // from, to: what the repository is called now
  "session.completed", // summary
  "session.failed", // error
  "session.cancelled", // error
  "settings.refused", // path, reason: of what a repository asks for in its settings, nothing counts
  "image.pulling", // image, bytes, totalBytes: so far
  "image.pulled", // image, durationMs
  "sandbox.created", // name, runtime
  "sandbox.adopted", // name, runtime
  "sandbox.stopped", // name, reason
  "sandbox.died", // name, reason
  "runner.started", // version, pid
  "workspace.cloned", // repository, branch, sha, durationMs
  "workspace.updated", // branch, sha: the base had moved on since it was cloned
  "workspace.guarded", // paths: agent configuration taken from the default branch
  "setup.started", // path of the hook, or command of the settings
  "setup.printed", // line
  "setup.finished", // exitCode, durationMs
  "check.started", // command
  "check.printed", // line
  "check.finished", // exitCode, durationMs
  "agent.started", // agent, pid
  "agent.initialized", // agentSessionId, model, tools
  "agent.stalled", // silentMs
  "agent.exited", // exitCode, signal
  "conversation.lost", // reason: it cannot be gone on with
  "agent.printed", // line (stderr, or stdout that is not JSON)
  "message.sent", // id, text, sender: by a person, to the agent
  "message.delivered", // id: it stands in the agent's conversation
  "message.lost", // count: sent, and not delivered before the end
  "turn.interrupted", // id
  "message.written", // text, messageId
  "thought.written", // text
  "tool.called", // id, tool, input
  "tool.returned", // id, text, isError, messageId
  "api.retried", // attempt, maxRetries, delayMs, error
  "turn.finished", // isError, text, turns, durationMs, costUsd, usage, denials
  "head.moved", // sha: the checkout has come to that commit
  "changes.collected", // files, additions, deletions, commits
  "commit.created", // sha, subject: left-over work committed by the runner
  "branch.pushed", // branch, sha, url
  "push.refused", // ref, reason
  "egress.allowed", // host, port, count: how often so far
  "egress.refused", // host, port, reason, count: how often so far
  "model.called", // model, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd, status, durationMs
  "model.limited", // status, until: the provider takes no calls before; one waits
  "model.refused", // model, service: what the model's provider was asked to do and may not
  "door.refused", // door, reason, count: how often so far
  "progress.reported", // plan: text, state (open | begun | done); step
  "request.granted", // tool, ordinal, answer: what the agent has had the hub do
  "request.refused", // tool, reason
  "approval.requested", // id, number, kind (tool | host), subject, detail, dueAt: a person has to allow it
  "approval.answered", // id, number, decision, by, note
  "budget.warned", // scope (session | orchestration | day), what, limit, used: the agent is told to finish
  "budget.exceeded", // scope, what (tokens | dollars | minutes), limit, used
  "events.dropped", // count, reason
  "unknown", // raw
] as const;

export const EventKind = z.enum(EVENT_KINDS);
export type EventKind = z.infer<typeof EventKind>;

export const EventBody = z
  .record(z.string(), z.json())
  .meta({ type: "object", additionalProperties: true });
export type EventBody = z.infer<typeof EventBody>;

/** An event before the log has numbered it. */
export interface NewEvent {
  at: string;
  kind: EventKind;
  body: EventBody;
}

/** One entry of a session's log. `seq` starts at 1 and has no gaps. */
export const Event = z.object({
  seq: z.int().positive(),
  at: z.iso.datetime(),
  kind: EventKind,
  body: EventBody,
});
export type Event = z.infer<typeof Event>;

/**
 * Fits a body into the bound on one event: the longest strings are cut and `truncated` gives the characters lost.
 * NUL, which PostgreSQL's jsonb cannot hold, becomes U+FFFD; so does half of a surrogate pair.
 */
export function boundedBody(body: EventBody, maxBytes: number = LIMITS.eventBodyBytes): EventBody {
  const text = JSON.stringify(body);
  const storable = text.replaceAll(/\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, "\\ufffd");
  if (storable.length <= maxBytes) return storable === text ? body : parseBody(storable);
  for (let keep = maxBytes; keep >= 16; keep = Math.floor(keep / 4)) {
    let lost = 0;
    const cut = parseBody(storable, (value) => {
      if (value.length <= keep) return value;
      lost += value.length - keep;
      return value.slice(0, keep).toWellFormed();
    });
    const result = { ...cut, truncated: lost };
    if (JSON.stringify(result).length <= maxBytes) return result;
  }
  return { truncated: text.length };
}

function parseBody(text: string, change: (value: string) => string = (value) => value): EventBody {
  return EventBody.parse(
    JSON.parse(text, (_key, value: unknown) => (typeof value === "string" ? change(value) : value)),
  );
}
