import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Logger } from "pino";
import { HubError, forbidden } from "../../core/errors.ts";
import type { EventBody, EventKind } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { Tool } from "../../core/tool.ts";
import type { ToolCallStore } from "../../store/sessions/tool-calls.ts";
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
      // A stream on which the hub would speak of its own accord; it does not.
      if (req.method !== "POST") {
        res.writeHead(405, { allow: "POST" }).end();
        return;
      }
      const tools = await toolsFor(session);
      if (tools.length === 0) throw forbidden("the session has no tools of the hub");
      const gone = new AbortController();
      res.once("close", () => gone.abort());
      await using answer = await answerMcp(await requestOf(req), {
        tools,
        call: (asked) => call({ ...asked, sessionId, request: nameOf(req), signal: gone.signal }),
        onInvalid: (tool, reason) => record(sessionId, "request.refused", { tool, reason }),
        log,
      });
      await pass(answer.response, res, gone.signal);
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

/** The sandbox's forwarder says it, which sends a request again whose answer has been lost; any other name is as good. */
function nameOf({ headers }: IncomingMessage): string | null {
  const name = headers["x-claude-hub-request"];
  return typeof name === "string" && /^[\w-]{1,100}$/.test(name) ? `request ${name}` : null;
}

/** Whoever waits for a long time is told at once that it is taken. */
async function pass(answer: Response, res: ServerResponse, gone: AbortSignal): Promise<void> {
  if (res.destroyed) return;
  res.writeHead(answer.status, {
    ...Object.fromEntries(answer.headers),
    "cache-control": "no-store",
  });
  if (answer.body === null) return void res.end();
  res.flushHeaders();
  try {
    await pipeline(answer.body, res, { signal: gone });
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}
