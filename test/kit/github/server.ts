import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { closeSignal, readBody } from "../network/loopback.ts";
import type { Api } from "./api.ts";
import { GitHubError } from "./errors.ts";
import type { Fault, Faults } from "./faults.ts";
import type { GitDoor } from "./git-door.ts";
import { webAnswer } from "./web.ts";
import type { Answer } from "./router.ts";
import { now } from "./world.ts";
import type { World } from "./world.ts";

const BODY_LIMIT_BYTES = 32 * 1024 * 1024;
const KEPT = 10_000;
const API = "/api/v3";

export interface LoggedRequest {
  at: Date;
  method: string;
  /** As asked, with the query; of the API without its root. */
  path: string;
  /** Of the API: the route, as GitHub's description has it. */
  route: string | null;
  body: unknown;
  /** `app:slug` for a JWT, otherwise a login; null for nobody. */
  by: string | null;
  /** The token that was shown, so that a test can tell two of them apart. */
  token: string | null;
  /** Null while it is being answered; 0 when the connection was cut. */
  status: number | null;
  kind: "api" | "git" | "web";
}

interface Deps {
  world: World;
  api: Api;
  git: GitDoor;
  faults: Faults;
  requests: LoggedRequest[];
}

export function createGitHubServer(deps: Deps) {
  return createServer((request, response) => {
    answer(deps, request, response).catch((error: unknown) => {
      if (response.destroyed) return;
      const status = error instanceof GitHubError ? error.status : 500;
      if (!response.headersSent) response.writeHead(status, { "content-type": "text/plain" });
      response.end(String(error instanceof Error ? error.stack : error));
    });
  });
}

async function answer(
  deps: Deps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { world, requests } = deps;
  const url = new URL(request.url ?? "/", world.url);
  const kind = kindOf(url.pathname);
  const record: LoggedRequest = {
    at: now(world),
    method: request.method ?? "GET",
    path: (request.url ?? "/").replace(kind === "api" ? API : "", ""),
    route: null,
    body: undefined,
    by: null,
    token: null,
    status: null,
    kind,
  };
  requests.push(record);
  if (requests.length > KEPT) requests.shift();
  response.once("close", () => {
    record.status = response.headersSent ? response.statusCode : 0;
  });
  response.setHeader("date", now(world).toUTCString());
  response.setHeader("x-github-request-id", crypto.randomUUID());
  const path = url.pathname.replace(kind === "api" ? API : "", "");
  if (kind === "api") record.route = deps.api.routeOf(record.method, path);
  const fault = deps.faults.strike(record.method, path, record.route);
  if (fault !== null && (await goWrong(fault, response))) return;
  if (kind === "git") {
    await deps.git.serve(request, response, record);
    // What git has pushed is answered before anything can be cut.
    await fault?.settings.meanwhile?.();
    return;
  }
  const body = await readBody(request, BODY_LIMIT_BYTES);
  const made =
    kind === "api"
      ? await deps.api.answer({ path, url, body, headers: request.headers, record })
      : webAnswer(world, record.method, url, body.toString("utf8"));
  await fault?.settings.meanwhile?.();
  if (fault !== null && fail(fault, response)) return;
  if (!response.destroyed) send(response, made);
}

/** Says whether the fault has answered already. */
async function goWrong(fault: Fault, response: ServerResponse): Promise<boolean> {
  const { delayMs, applied } = fault.settings;
  if (delayMs !== undefined) await pause(delayMs, undefined, { signal: closeSignal(response) });
  if (applied === true) return false;
  await fault.settings.meanwhile?.();
  return fail(fault, response);
}

function fail({ settings }: Fault, response: ServerResponse): boolean {
  if (settings.reset === true) {
    response.socket?.resetAndDestroy();
    return true;
  }
  const { status } = settings;
  if (status === undefined) return false;
  const limited = settings.retryAfter !== undefined;
  const said = limited ? "You have exceeded a secondary rate limit." : "The test wants it so.";
  send(response, {
    status,
    body: { message: settings.message ?? said },
    headers: {
      ...(limited ? { "retry-after": String(settings.retryAfter) } : {}),
      ...settings.headers,
    },
  });
  return true;
}

function send(response: ServerResponse, { status, body, text, headers = {} }: Answer): void {
  if (text !== undefined) {
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
    response.end(text);
  } else if (body === undefined) {
    response.writeHead(status, headers).end();
  } else {
    const json = { "content-type": "application/json; charset=utf-8" };
    response.writeHead(status, { ...json, ...headers }).end(JSON.stringify(body));
  }
}

function kindOf(path: string): LoggedRequest["kind"] {
  if (path.startsWith(`${API}/`)) return "api";
  return /^\/[^/]+\/[^/]+\/(info\/refs|git-upload-pack|git-receive-pack)$/.test(path)
    ? "git"
    : "web";
}
