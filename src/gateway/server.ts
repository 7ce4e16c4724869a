import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Socket, connect } from "node:net";
import { dirname } from "node:path";
import type { Logger } from "pino";
import { HubError } from "../core/errors.ts";
import { LINGER_MS, answer, answerTunnel, refusalOf } from "./answer.ts";
import type { Refusal } from "./answer.ts";
import { createConnections } from "./connections.ts";
import type { Connections } from "./connections.ts";
import { firstStep } from "./request-path.ts";
import type { Authentication, Door, GatewaySession, ProxyDoor } from "./session.ts";

/** Longest path that fits a unix socket address on every system we run on (sockaddr_un holds 104 on macOS). */
const MAX_SOCKET_PATH_BYTES = 103;

export interface GatewayLimits {
  maxConnections: number;
  /** Of one session. */
  maxSessionConnections: number;
  /** That have not shown a token yet. */
  maxUnnamedConnections: number;
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
  maxSessionConnections: 256,
  maxUnnamedConnections: 512,
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
  /** Takes requests that name their target in full, and tunnels. */
  proxy?: ProxyDoor;
  log: Logger;
  limits?: Partial<GatewayLimits>;
}): Gateway {
  const { address, proxy } = options;
  const limits = { ...GATEWAY_LIMITS, ...options.limits };
  const connections = createConnections({
    maxEach: limits.maxSessionConnections,
    maxUnnamed: limits.maxUnnamedConnections,
  });
  const handler = createHandler({ ...options, connections });
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
    },
    (req, res) => void handler.handle(req, res),
  );
  server.maxConnections = limits.maxConnections;
  server.on("connection", (socket) => connections.add(socket));
  if (proxy !== undefined)
    server.on("connect", (req, socket, head) => {
      if (!(socket instanceof Socket)) return void socket.destroy();
      if (head.length > 0) socket.unshift(head);
      return void handler.tunnel(proxy, req, socket);
    });

  let closing: Promise<void> | undefined;
  const close = () => (closing ??= server.listening ? drain() : Promise.resolve());

  async function drain(): Promise<void> {
    const ended = once(server, "close");
    server.close();
    server.closeIdleConnections();
    const timer = setTimeout(() => {
      server.closeAllConnections();
      connections.destroyAll();
    }, limits.drainMs);
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

interface Handler {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  tunnel(proxy: ProxyDoor, req: IncomingMessage, socket: Socket): Promise<void>;
}

function createHandler(options: {
  authenticate(token: string): Promise<Authentication>;
  doors: ReadonlyMap<string, Door>;
  proxy?: ProxyDoor;
  connections: Connections;
  log: Logger;
}): Handler {
  function refusalFor(error: unknown, isOutside: boolean): Refusal {
    if (error instanceof HubError && error.status < 500) return refusalOf(error);
    if (isOutside && error instanceof HubError && error.code === "upstream_failed") {
      // Some host out there, chosen by an agent: nothing that an operator could mend.
      options.log.debug({ err: error }, "outside host failed");
      return refusalOf(error);
    }
    const reference = randomUUID();
    options.log.error({ err: error, reference }, "gateway request failed");
    if (error instanceof HubError) return refusalOf(error);
    return { status: 500, body: { error: "Internal error", code: "internal", reference } };
  }

  /** The session that a request may speak for, or why it speaks for none. */
  async function identify(
    socket: Socket,
    credentials: string | undefined,
    unauthorized: 401 | 407,
  ): Promise<GatewaySession | Refusal> {
    const token = /^Bearer ([\w-]{1,200})$/.exec(credentials ?? "")?.[1];
    const session = token === undefined ? null : await options.authenticate(token);
    if (session === null)
      return { status: unauthorized, body: { error: "Unauthorized", code: "unauthorized" } };
    if (session === "ended")
      return { status: 410, body: { error: "Session has ended", code: "session_ended" } };
    if (options.connections.claim(socket, session.sessionId)) return session;
    return {
      status: 429,
      body: { error: "Too many connections", code: "rate_limited" },
      headers: { "retry-after": "1" },
    };
  }

  function doorFor(target: string): Door | undefined {
    if (ABSOLUTE.test(target)) return options.proxy?.request;
    return options.doors.get(firstStep(target));
  }

  return {
    async handle(req, res) {
      res.once("finish", () => lingerOver(req));
      const isOutside = ABSOLUTE.test(req.url ?? "");
      const say = (refusal: Refusal) => {
        // One request a connection.
        if (isOutside) res.shouldKeepAlive = false;
        answer(res, refusal);
      };
      // No sandbox may end the hub by how it ends a connection.
      res.on("error", (error) => options.log.debug({ err: error }, "gateway connection failed"));
      try {
        const { authorization, "proxy-authorization": forProxy } = req.headers;
        const session = isOutside
          ? await identify(req.socket, forProxy, 407)
          : await identify(req.socket, authorization, 401);
        if ("status" in session) say(session);
        else {
          const door = doorFor(req.url ?? "");
          if (door === undefined) say(NOT_FOUND);
          else await door(req, res, session);
        }
      } catch (error) {
        // A client that went away is no failure of ours, and there is nobody to tell.
        if (!res.destroyed) say(refusalFor(error, isOutside));
      }
    },
    async tunnel(proxy, req, socket) {
      socket.on("error", (error) => options.log.debug({ err: error }, "tunnel failed"));
      try {
        const session = await identify(socket, req.headers["proxy-authorization"], 407);
        if ("status" in session) answerTunnel(socket, session);
        else await proxy.connect(req, socket, session);
      } catch (error) {
        if (!socket.destroyed) answerTunnel(socket, refusalFor(error, true));
      }
    },
  };
}

const ABSOLUTE = /^[a-z][a-z\d+.-]*:/i;
const NOT_FOUND: Refusal = { status: 404, body: { error: "Not found", code: "not_found" } };

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
