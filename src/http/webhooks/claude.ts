import type { NewSession } from "../../core/session.ts";
import type { HttpDeps } from "../deps.ts";
import { misfit } from "../failure.ts";
import { ClaudeRequest, unwrapped } from "./requests.ts";
import { sessionJson } from "./session-json.ts";

export interface WebhookAnswer {
  message: string;
  data: Record<string, unknown>;
}

/** Does what an API client asks for in the older API. */
export async function answerClaude(
  deps: Pick<HttpDeps, "sessions" | "orchestrations">,
  body: unknown,
): Promise<WebhookAnswer> {
  const parsed = ClaudeRequest.safeParse(unwrapped(body));
  if (!parsed.success) throw misfit(parsed.error);
  const request = parsed.data;
  const { sessions } = deps;
  switch (request.type) {
    case "session.create": {
      const session = await sessions.create(merged(request));
      return { message: "Session created successfully", data: { session: sessionJson(session) } };
    }
    case "session.start": {
      const { session, waitingFor } = await sessions.start(request.sessionId);
      const data = { session: sessionJson(session) };
      if (session.status !== "pending") return { message: "Session started", data };
      const what = waitingFor.length > 0 ? "dependencies" : "a slot";
      return { message: `Session queued, waiting for ${what}`, data: { ...data, waitingFor } };
    }
    case "session.get": {
      const session = await sessions.get(request.sessionId);
      return { message: "Session found", data: { session: sessionJson(session) } };
    }
    case "session.output": {
      const session = await sessions.get(request.sessionId);
      const output = await sessions.output(request.sessionId);
      const data = { sessionId: session.id, status: session.status, error: session.error, output };
      return { message: "Session output", data };
    }
    case "session.list": {
      const { type: _, ...query } = request;
      const page = await sessions.list(query);
      const data = { sessions: page.sessions.map(sessionJson), nextCursor: page.nextCursor };
      return { message: `${page.sessions.length} sessions`, data };
    }
    case "orchestrate": {
      const made = await deps.orchestrations.create(request);
      const { orchestrationId, status, summary } = made;
      const own = made.sessions.map(sessionJson);
      const data = { orchestrationId, status, sessions: own, summary };
      return { message: "Orchestration created successfully", data };
    }
    default:
      return request satisfies never;
  }
}

function merged({
  session,
  metadata,
  options,
}: Extract<ClaudeRequest, { type: "session.create" }>): NewSession {
  return {
    ...session,
    metadata: { ...metadata, ...session.metadata },
    options: { ...options, ...session.options },
  };
}
