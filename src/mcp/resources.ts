import { eventText } from "../core/event-text.ts";
import { HubError, invalidRequest } from "../core/errors.ts";
import { Id } from "../core/id.ts";
import type { McpCall } from "./tool.ts";
import { cut } from "./views.ts";

const MIME_TYPE = "text/plain";
const LISTED = 50;
/** The newest lines of a log; the whole is at the tool get_session_events. */
const LINES = 1_000;
const LINE_CHARS = 1_000;
const LOG = /^claude-hub:\/\/sessions\/([^/]{1,100})\/log$/;

export const TEMPLATES = [
  {
    name: "session-log",
    title: "A session's log",
    uriTemplate: "claude-hub://sessions/{id}/log",
    description: "What happened in a session so far, one event a line; the newest 1,000.",
    mimeType: MIME_TYPE,
  },
];

/** The newest sessions' logs, a page at a time. */
export async function listResources(
  { sessions }: Pick<McpCall, "sessions">,
  cursor: string | undefined,
) {
  const from = Id.optional().safeParse(cursor);
  if (!from.success) throw invalidRequest("cursor", "is not one that a page before has given");
  const page = await sessions.list({ limit: LISTED, cursor: from.data });
  return {
    resources: page.sessions.map(({ id, status, type, project }) => ({
      uri: `claude-hub://sessions/${id}/log`,
      name: `Log of session ${id}`,
      description: `${type} in ${project.repository}, ${status}: ${cut(project.requirements, 100)}`,
      mimeType: MIME_TYPE,
    })),
    ...(page.nextCursor === null ? {} : { nextCursor: page.nextCursor }),
  };
}

/** Throws `not_found` for what is none, or is not there for who asks. */
export async function readResource(
  { sessions, events }: Pick<McpCall, "sessions" | "events">,
  uri: string,
) {
  const id = Id.safeParse(LOG.exec(uri)?.[1]);
  if (!id.success) throw new HubError("not_found", "There is no such resource");
  await sessions.get(id.data);
  const log = await events.readLast(id.data, LINES);
  const before = (log[0]?.seq ?? 1) - 1;
  const lines = log.map((event) => cut(`${event.at} ${eventText(event)}`, LINE_CHARS));
  const text = [...(before > 0 ? [`(${before} events before)`] : []), ...lines].join("\n");
  return { contents: [{ uri, mimeType: MIME_TYPE, text: `${text}\n` }] };
}
