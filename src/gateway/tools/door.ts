import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { HubError, forbidden } from "../../core/errors.ts";
import type { EventBody, EventKind } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { Tool } from "../../core/tool.ts";
import type { ToolCallStore } from "../../store/tool-calls.ts";
import type { Deny } from "../denials.ts";
import { readBody } from "../git/body.ts";
import type { Door, GatewaySession } from "../session.ts";
import { createCalls } from "./calls.ts";
import { answerMcp } from "./mcp.ts";

/** What a session may have the hub do; none: nothing. */
export type ToolsFor = (session: Pick<GatewaySession, "sessionId">) => Promise<readonly Tool[]>;

/** JSON writes a character as up to six; GitHub's longest text has 65,536. */
const BODY_BYTES = 512 * 1_024;

/** The tools door: what the agent has the hub do for it, as a server of the Model Context Protocol at `/tools`. */
export function createToolsDoor(options: {
  toolsFor: ToolsFor;
  calls: ToolCallStore;
  record(sessionId: Id, kind: EventKind, body: EventBody): Promise<void>;
  onDenial: Deny;
  log: Logger;
}): Door {
  const { toolsFor, record, onDenial, log } = options;
  const call = createCalls(options);
  return async (req, res, session) => {
    const { sessionId } = session;
    try {
      if (req.url !== "/tools") throw new HubError("not_found", "Not found");
      const tools = await toolsFor(session);
      if (tools.length === 0) throw forbidden("the session has no tools of the hub");
      const answer = await answerMcp(await requestOf(req), {
        tools,
        call: (tool, input) => call(sessionId, tool, input),
        onInvalid: (tool, reason) => record(sessionId, "request.refused", { tool, reason }),
        log,
      });
      await pass(answer, res);
    } catch (error) {
      if (error instanceof HubError) onDenial(sessionId, error);
      throw error;
    }
  };
}

async function requestOf(req: IncomingMessage): Promise<Request> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(req, BODY_BYTES)) chunks.push(chunk);
  const headers = new Headers();
  for (const name of PASSED) {
    const value = req.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  const method = req.method ?? "GET";
  return new Request("http://gateway/tools", {
    method,
    headers,
    ...(method === "POST" ? { body: Buffer.concat(chunks).toString() } : {}),
  });
}
const PASSED = ["accept", "content-type", "mcp-protocol-version", "mcp-session-id"];

async function pass(answer: Response, res: ServerResponse): Promise<void> {
  const body = await answer.text();
  if (res.destroyed) return;
  res.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    "cache-control": "no-store",
  });
  res.end(body);
}
