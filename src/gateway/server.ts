import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { Logger } from "pino";
import { HubError } from "../core/errors.ts";
import { firstStep } from "./request-path.ts";
import type { Authentication, Door } from "./session.ts";

/** Longest path that fits a unix socket address on every system we run on (sockaddr_un holds 104 on macOS). */
const MAX_SOCKET_PATH_BYTES = 103;
const LINGER_MS = 2_000;

export interface GatewayLimits {
  maxConnections: number;
  maxHeaderBytes: number;
  /** For the headers of one request. */
  headersTimeoutMs: number;
  /** For receiving one whole request, a pushed pack included. Answers (long polls, streams) are not limited by it. */
  requestTimeoutMs: number;
  keepAliveTimeoutMs: number;
  /** How long `close` lets running requests finish. */
  drainMs: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  maxConnections: 4_096,
  maxHeaderBytes: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 600_000,
  keepAliveTimeoutMs: 60_000,
  drainMs: 5_000,
};

export interface Gateway extends AsyncDisposable {
  /** Resolves when sandboxes can connect. Rejects when another hub answers on the same socket. */
  listen(): Promise<{ port: number | null }>;
  close(): Promise<void>;
}

/**
 * The sandboxes' way to the hub: one HTTP server whose every request carries a session token. The first step of the
 * path chooses the door.
 */
export function createGateway(options: {
  /** A unix socket; its directory is what a sandbox sees. A port (on 127.0.0.1) serves git clients in tests. */
  address: { socketPath: string } | { port: number };
  authenticate(token: string): Promise<Authentication>;
  doors: ReadonlyMap<string, Door>;
  log: Logger;
  limits?: Partial<GatewayLimits>;
}): Gateway {
  const { address } = options;
  const limits = { ...GATEWAY_LIMITS, ...options.limits };
  const handle = createHandler(options);
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
    },
    (req, res) => void handle(req, res),
  );
  server.maxConnections = limits.maxConnections;

  let closing: Promise<void> | undefined;
  const close = () => (closing ??= server.listening ? drain() : Promise.resolve());

  async function drain(): Promise<void> {
    const ended = once(server, "close");
    server.close();
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), limits.drainMs);
    await ended;
    clearTimeout(timer);
  }

  return {
    async listen() {
      if ("port" in address) server.listen(address.port, "127.0.0.1");
      else {
        await clearTheWay(address.socketPath);
        // Sandboxes run under other users; what they may do is decided by their token.
        server.listen({ path: address.socketPath, readableAll: true, writableAll: true });
      }
      await once(server, "listening");
      const bound = server.address();
      return { port: bound !== null && typeof bound === "object" ? bound.port : null };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createHandler(options: {
  authenticate(token: string): Promise<Authentication>;
  doors: ReadonlyMap<string, Door>;
  log: Logger;
}): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  function fail(res: ServerResponse, error: unknown): void {
    // A client that went away is no failure of ours, and there is nobody to tell.
    if (res.destroyed) return;
    if (error instanceof HubError && error.status < 500) {
      answerError(res, error);
      return;
    }
    const reference = randomUUID();
    options.log.error({ err: error, reference }, "gateway request failed");
    if (error instanceof HubError) answerError(res, error);
    else answer(res, 500, { error: "Internal error", code: "internal", reference });
  }

  return async (req, res) => {
    res.once("finish", () => lingerOver(req));
    // No sandbox may end the hub by how it ends a connection.
    res.on("error", (error) => options.log.debug({ err: error }, "gateway connection failed"));
    try {
      const token = /^Bearer ([\w-]{1,200})$/.exec(req.headers.authorization ?? "")?.[1];
      const session = token === undefined ? null : await options.authenticate(token);
      if (session === null) answer(res, 401, { error: "Unauthorized", code: "unauthorized" });
      else if (session === "ended")
        answer(res, 410, { error: "Session has ended", code: "session_ended" });
      else {
        const door = options.doors.get(firstStep(req.url ?? ""));
        if (door === undefined) answer(res, 404, { error: "Not found", code: "not_found" });
        else await door(req, res, session);
      }
    } catch (error) {
      fail(res, error);
    }
  };
}

/**
 * After an answer that came before the end of the request: what is still sent is thrown away for a moment, because a
 * client that is cut off while it sends may never see the answer.
 */
function lingerOver(req: IncomingMessage): void {
  if (req.complete) return;
  req.unpipe().resume();
  const timer = setTimeout(() => req.destroy(), LINGER_MS);
  req.once("close", () => clearTimeout(timer));
}

/** Makes the socket's directory and removes what a killed hub left there, but never the socket of a living one. */
async function clearTheWay(socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES)
    throw new Error(
      `the path of the gateway's socket is longer than ${MAX_SOCKET_PATH_BYTES} bytes, choose a shorter data directory: ${socketPath}`,
    );
  await mkdir(dirname(socketPath), { recursive: true, mode: 0o755 });
  if (await answers(socketPath)) throw new Error(`another hub is listening on ${socketPath}`);
  await rm(socketPath, { force: true });
}

async function answers(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    // Refused or absent: nobody lives there.
    return false;
  } finally {
    socket.destroy();
  }
}

function answerError(res: ServerResponse, error: HubError): void {
  if (error.retryAfterSeconds !== undefined && !res.headersSent)
    res.setHeader("retry-after", String(error.retryAfterSeconds));
  answer(res, error.status, { error: error.message, code: error.code });
}

function answer(res: ServerResponse, status: number, body: Record<string, unknown>): void {
  if (res.headersSent) {
    // Half an answer is out: cutting the connection is the only way left to say that it is not whole.
    res.destroy();
    return;
  }
  res.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  res.end(JSON.stringify(body));
}
