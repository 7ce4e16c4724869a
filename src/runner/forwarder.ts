import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { Socket, connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { tunnel } from "./tunnel.ts";

/** The agent's and git's way out of the sandbox. */
export interface Forwarder extends AsyncDisposable {
  url: string;
}

export interface Hub {
  /** Path of the gateway's socket. */
  socket: string;
  token: string;
}

const DOORS = /^\/(git|model)\//;
/** Headers of one connection, and those that are the forwarder's own to say. */
const DROPPED = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** What a client says to the hub's own doors, and the forwarder in its place. */
const DROPPED_FOR_DOORS = new Set([...DROPPED, "authorization", "host", "x-api-key"]);
/** How long a request waits for a hub that is being restarted. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 50;
const LINGER_MS = 2_000;
/** Fewer than the gateway gives to one sandbox: however many the agent wants, the runner must still be heard. */
const MAX_CONNECTIONS = 128;

/**
 * Listens on loopback and adds the session token: to what goes to the git door and the model door, and, as an HTTP
 * proxy, to what is for other hosts. Which of those may be reached is the gateway's to decide.
 */
export async function startForwarder(hub: Hub): Promise<Forwarder> {
  const tunnels = new Set<Socket>();
  const server = createServer((req, res) => {
    forward(hub, req, res, own).catch(() => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502).end("the hub could not be reached\n");
    });
  });
  server.on("connect", (req, stream, head) => {
    if (!(stream instanceof Socket)) return void stream.destroy();
    tunnels.add(stream);
    stream.once("close", () => tunnels.delete(stream));
    stream.on("error", () => stream.destroy());
    if (head.length > 0) stream.unshift(head);
    return void tunnel(hub, req, stream, connectPatiently);
  });
  server.maxConnections = MAX_CONNECTIONS;
  // A model may think for a long time before it says a word.
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no loopback port");
  const own = `127.0.0.1:${address.port}`;
  return {
    url: `http://${own}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      for (const client of tunnels) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** What makes programs use the forwarder as their proxy. */
export function proxyEnvironment(url: string): Record<string, string> {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
  const direct = "127.0.0.1,localhost,::1";
  return {
    ...Object.fromEntries(names.map((name) => [name, url])),
    NO_PROXY: direct,
    no_proxy: direct,
    // Node.js asks for leave to look at the others.
    NODE_USE_ENV_PROXY: "1",
  };
}

async function forward(
  { socket, token }: Hub,
  req: IncomingMessage,
  res: ServerResponse,
  own: string,
): Promise<void> {
  const target = req.url ?? "/";
  // Some programs ask their proxy even for what is on loopback.
  const path = target.startsWith(`http://${own}/`) ? target.slice(`http://${own}`.length) : target;
  const isOutside = !path.startsWith("/");
  if (!isOutside && !DOORS.test(path)) {
    res.writeHead(404).end("only the repository and the model can be reached from here\n");
    return;
  }
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  // Nothing of the request is read before there is somebody to take it.
  const connection = await connectPatiently(socket, gone.signal);
  const credentials = `Bearer ${token}`;
  const onward = request({
    createConnection: () => connection,
    method: req.method,
    path,
    headers: {
      ...(isOutside
        ? { ...kept(req.headers, DROPPED), "proxy-authorization": credentials }
        : { ...kept(req.headers, DROPPED_FOR_DOORS), host: "gateway", authorization: credentials }),
      ...(req.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" }),
      // Whoever is told to close does so as soon as it has answered, which may be before it has read everything.
      connection: "keep-alive",
    },
  });
  gone.signal.addEventListener("abort", () => onward.destroy(), { once: true });
  req.pipe(onward);
  req.once("error", () => onward.destroy());
  const [answer] = await onceResponse(onward);
  res.once("finish", () => lingerOver(req));
  res.shouldKeepAlive ||= !req.complete;
  res.writeHead(answer.statusCode ?? 502, kept(answer.headers, DROPPED));
  res.flushHeaders();
  answer.once("error", () => res.destroy());
  answer.once("close", () => connection.destroy());
  answer.pipe(res);
}

/** An answer may come before the end of the request: the rest of that is thrown away, so that the client can read it. */
function lingerOver(req: IncomingMessage): void {
  if (req.complete) return;
  req.unpipe().resume();
  const timer = setTimeout(() => req.destroy(), LINGER_MS);
  req.once("close", () => clearTimeout(timer));
}

function onceResponse(onward: ReturnType<typeof request>): Promise<[IncomingMessage]> {
  return new Promise((resolve, reject) => {
    onward.on("error", reject);
    onward.once("response", (answer) => resolve([answer]));
  });
}

async function connectPatiently(path: string, gone: AbortSignal): Promise<Socket> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const socket = connect({ path, allowHalfOpen: true });
    try {
      await once(socket, "connect", { signal: gone });
      return socket;
    } catch (error) {
      socket.destroy();
      if (gone.aborted || Date.now() >= end) throw error;
      await pause(RETRY_MS);
    }
  }
}

function kept(
  headers: IncomingMessage["headers"],
  dropped: ReadonlySet<string>,
): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
