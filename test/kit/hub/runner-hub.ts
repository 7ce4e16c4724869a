import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Event } from "../../../src/core/event.ts";
import { EventBatch, RunnerResult } from "../../../src/core/job.ts";
import type { Job } from "../../../src/core/job.ts";
import { closeSignal, readBody } from "../network/loopback.ts";

const BODY_BYTES = 64 * 1024 * 1024;
const TOKEN = /^Bearer (.+)$/;

/** Where `/git/` or `/model/` leads, and what takes the place of the session token there. */
export interface Way {
  url: string;
  headers: Record<string, string>;
}

/** What a runner sees of a hub: one unix socket. Its log keeps the rules of the real one. */
export interface RunnerHub extends AsyncDisposable {
  socket: string;
  token: string;
  /** In the order of the runner's numbers, each once. */
  events: readonly Event[];
  /** As they came, with those that came twice. */
  results: readonly RunnerResult[];
  batches: readonly number[];
  /** Every request that came without the token. */
  strangers: readonly string[];
  /** Every other host that was asked for, tunnels and plain requests alike. */
  outsiders: readonly string[];
  setJob(job: Job): void;
  cancel(reason: string): void;
  /** Answers every runner door request with this status until called with null. */
  refuse(status: number | null): void;
  /** As a killed hub: open connections are cut, nobody listens. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

/** A hub without a database, for tests of the runner alone. */
export async function createRunnerHub(options: {
  dir: string;
  token: string;
  git: Way;
  model?: Way;
}): Promise<RunnerHub> {
  const socket = join(options.dir, "hub.sock");
  const events: Event[] = [];
  const results: RunnerResult[] = [];
  const batches: number[] = [];
  const strangers: string[] = [];
  const outsiders: string[] = [];
  const polls = new Set<() => void>();
  let job: Job | null = null;
  let reason: string | null = null;
  let refusal: number | null = null;
  let server: Server | null = null;

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url ?? "/";
    if (!path.startsWith("/")) {
      outsiders.push(path);
      sendJson(res, 403, { error: "no other hosts in this test" });
      return;
    }
    if (TOKEN.exec(req.headers.authorization ?? "")?.[1] !== options.token) {
      strangers.push(path);
      sendJson(res, 401, { error: "Unauthorized" });
      return;
    }
    if (path.startsWith("/git/")) {
      await passOn(options.git, req, res, path);
      return;
    }
    if (path.startsWith("/model/") && options.model !== undefined) {
      await passOn(options.model, req, res, path.slice("/model".length));
      return;
    }
    if (refusal === null) await serve(`${req.method} ${path}`, req, res);
    else sendJson(res, refusal, { error: "refused by the test" });
  }

  async function serve(what: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (what === "GET /runner/job") {
      sendJson(res, job === null ? 409 : 200, job ?? { error: "no slot" });
    } else if (what === "POST /runner/events") {
      const batch = EventBatch.parse(await readJson(req));
      batches.push(batch.events.length);
      for (const event of batch.events) if (event.seq === events.length + 1) events.push(event);
      sendJson(res, 200, { ackedSeq: events.length });
    } else if (what === "POST /runner/result") {
      const result = RunnerResult.parse(await readJson(req));
      if (result.lastSeq > events.length) {
        sendJson(res, 409, { error: "events are missing" });
        return;
      }
      results.push(result);
      sendJson(res, 200, {});
    } else if (what === "POST /runner/closing") {
      sendJson(res, 200, { closed: true });
    } else if (what.startsWith("GET /runner/commands")) {
      if (reason === null) await cancelled(closeSignal(res));
      sendJson(res, 200, { commands: reason === null ? [] : [{ kind: "cancel", reason }] });
    } else sendJson(res, 404, { error: "Not found" });
  }

  async function cancelled(gone: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      polls.add(resolve);
      gone.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  async function comeBack(): Promise<void> {
    server = createServer((req, res) => {
      answer(req, res).catch((error: unknown) => {
        if (res.headersSent) res.destroy();
        else sendJson(res, 500, { error: String(error) });
      });
    });
    server.on("connect", (req, stream) => {
      outsiders.push(req.url ?? "");
      stream.on("error", () => undefined).end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    server.listen(socket);
    await once(server, "listening");
  }

  async function goAway(): Promise<void> {
    if (server === null) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    server = null;
    await closed;
    await rm(socket, { force: true });
  }

  await comeBack();
  return {
    socket,
    token: options.token,
    events,
    results,
    batches,
    strangers,
    outsiders,
    setJob(next) {
      job = next;
    },
    cancel(why) {
      reason = why;
      for (const wake of polls) wake();
      polls.clear();
    },
    refuse(status) {
      refusal = status;
      // A poll that waits learns of it, as from a hub that has just ended the session.
      server?.closeAllConnections();
    },
    goAway,
    comeBack,
    [Symbol.asyncDispose]: goAway,
  };
}

/** Streams both ways; the credential is exchanged, as the hub's own doors do it. */
async function passOn(way: Way, req: IncomingMessage, res: ServerResponse, path: string) {
  const { authorization: _dropped, host: _ours, ...headers } = req.headers;
  const onward = request(`${way.url}${path}`, {
    method: req.method,
    headers: { ...headers, ...way.headers },
  });
  res.once("close", () => onward.destroy());
  req.pipe(onward);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    onward.on("error", reject);
    onward.once("response", resolve);
  });
  res.writeHead(response.statusCode ?? 502, response.headers);
  response.on("error", () => res.destroy());
  response.pipe(res);
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  return JSON.parse((await readBody(req, BODY_BYTES)).toString("utf8"));
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  if (!res.destroyed)
    res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
