import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { closeSignal, listenOnLoopback, readBody } from "../network/loopback.ts";
import { messageFor, streamOf, tokensIn } from "./message-stream.ts";
import type { Message } from "./message-stream.ts";
import {
  findCue,
  MessagesRequest,
  Scenario,
  toolResultsOf,
  workingDirectoryOf,
} from "./scenario.ts";
import type { Cue, ScenarioInput, Step } from "./scenario.ts";

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const REQUESTS_KEPT = 200;
const KEYS_KEPT = 100;

interface ModelRequest {
  method: string;
  path: string;
  /** Without the key. */
  headers: IncomingHttpHeaders;
  body: unknown;
}

export interface ScriptedModel extends AsyncDisposable {
  url: string;
  /** The last 200 requests, oldest first. */
  requests: readonly ModelRequest[];
  /** Every different key that was shown, right or wrong, in the order of first sight. */
  keysSeen: readonly string[];
  setScenario(scenario: ScenarioInput): void;
}

/**
 * A server on loopback that speaks the Anthropic Messages API (streamed and whole, `count_tokens`, errors) and says what a
 * scenario tells it to. Only `x-api-key: <apiKey>` is let in.
 */
export async function createScriptedModel(options: {
  scenario: ScenarioInput;
  apiKey: string;
}): Promise<ScriptedModel> {
  let scenario = Scenario.parse(options.scenario);
  const requests: ModelRequest[] = [];
  const keysSeen: string[] = [];
  /** How often a step with an error or a hang-up has been reached. */
  const tries = new Map<string, number>();

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendError(response, 500, "api_error", String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? "GET";
    const path = request.url ?? "/";
    const raw = await readBody(request, BODY_LIMIT_BYTES);
    const body = parseJson(raw);
    const { "x-api-key": key, authorization, ...headers } = request.headers;
    note(keysSeen, KEYS_KEPT, key, authorization);
    requests.push({ method, path, headers, body });
    if (requests.length > REQUESTS_KEPT) requests.shift();

    const { pathname } = new URL(path, "http://loopback");
    // Claude Code warms its connection up with a HEAD of /api/hello.
    if (["GET", "HEAD"].includes(method) && ["/", "/api/hello"].includes(pathname)) {
      response.writeHead(200, { "content-type": "text/plain" }).end("scripted model\n");
      return;
    }
    if (key !== options.apiKey) {
      sendError(response, 401, "authentication_error", "invalid x-api-key");
      return;
    }
    if (method !== "POST" || !/^\/v1\/messages(\/count_tokens)?$/.test(pathname)) {
      sendError(response, 404, "not_found_error", `no ${method} ${pathname} here`);
      return;
    }
    const parsed = MessagesRequest.safeParse(body);
    if (!parsed.success) {
      sendError(response, 400, "invalid_request_error", z.prettifyError(parsed.error));
      return;
    }
    if (pathname.endsWith("/count_tokens")) {
      sendJson(response, 200, { input_tokens: tokensIn(raw.length) });
      return;
    }
    await play(findCue(scenario, parsed.data), parsed.data, raw.length, response);
  }

  async function play(
    { key, step }: Cue,
    request: MessagesRequest,
    requestBytes: number,
    response: ServerResponse,
  ): Promise<void> {
    const tried = tries.get(key) ?? 0;
    tries.set(key, tried + 1);
    const signal = closeSignal(response);
    if (step.delayMs > 0) await pause(step.delayMs, undefined, { signal });
    if (step.error !== undefined && tried < step.error.times) {
      const { status, type, message, headers } = step.error;
      for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
      sendError(response, status, type, message);
      return;
    }
    const hangUp = step.hangUp && tried === (step.error?.times ?? 0);
    const cwd = workingDirectoryOf(request);
    const results = toolResultsOf(request);
    const message = messageFor(step, request, { requestBytes, cwd, results });
    if (request.stream)
      await sendStream(response, message, { pieceMs: step.pieceMs, hangUp, signal });
    else if (hangUp) response.destroy();
    else sendJson(response, 200, message);
  }

  const { url, close } = await listenOnLoopback(server);
  return {
    url,
    requests,
    keysSeen,
    setScenario(next) {
      scenario = Scenario.parse(next);
      tries.clear();
    },
    [Symbol.asyncDispose]: close,
  };
}

async function sendStream(
  response: ServerResponse,
  message: Message,
  { pieceMs, hangUp, signal }: Pick<Step, "pieceMs" | "hangUp"> & { signal: AbortSignal },
): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "request-id": `req_${message.id}`,
  });
  for (const event of streamOf(message)) {
    if (hangUp && event.type === "content_block_stop") {
      response.destroy();
      return;
    }
    await written(response, `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (response.destroyed) return;
    if (pieceMs > 0) await pause(pieceMs, undefined, { signal });
  }
  response.end();
}

/** Resolves when the text is out, or will never be. */
function written(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => response.write(text, () => resolve()));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  sendJson(response, status, { type: "error", error: { type, message } });
}

function note(list: string[], limit: number, ...values: (string | string[] | undefined)[]): void {
  for (const value of values.flat()) {
    if (value !== undefined && !list.includes(value) && list.length < limit) list.push(value);
  }
}

/** What is not JSON stays a string: the check of the request's form then refuses it. */
function parseJson(raw: Buffer): unknown {
  const text = raw.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
