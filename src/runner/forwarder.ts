import { once } from "node:events";
import { Agent, createServer } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { HOP_BY_HOP } from "../core/hop-by-hop.ts";
import { sendOnward } from "./onward.ts";
import { forwardToolCall } from "./tool-call.ts";
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

const DOORS = /^\/(?:(?:git|model)\/|tools$)/;
/** Headers of one connection, and those that are the forwarder's own to say. */
const DROPPED = new Set<string>([...HOP_BY_HOP, "expect"]);
/** What a client says to the hub's own doors, and the forwarder in its place. */
const DROPPED_FOR_DOORS = new Set([...DROPPED, "authorization", "host", "x-api-key"]);
const LINGER_MS = 2_000;
/** Connections that are kept for the next call of the model. */
const MAX_KEPT = 8;
/** Fewer than the gateway gives to one sandbox: however many the agent wants, the runner must still be heard. */
const MAX_CONNECTIONS = 128;

/**
 * Listens on loopback and adds the session token: to what goes to the git, model and tools doors, and, as an HTTP
 * proxy, to what is for other hosts. Which of those may be reached is the gateway's to decide.
 */
export async function startForwarder(hub: Hub): Promise<Forwarder> {
  const tunnels = new Set<Socket>();
  const agent = new Agent({ keepAlive: true, maxFreeSockets: MAX_KEPT });
  const server = createServer((req, res) => {
    forward({ path: hub.socket, token: hub.token, agent, own }, req, res).catch(() => {
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
    return void tunnel(hub, req, stream);
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
      agent.destroy();
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
  { token, own, ...way }: { path: string; token: string; agent: Agent; own: string },
  req: IncomingMessage,
  res: ServerResponse,
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
  req.once("error", () => gone.abort());
  const credentials = `Bearer ${token}`;
  const headers = {
    ...(isOutside
      ? { ...kept(req.headers, DROPPED), "proxy-authorization": credentials }
      : { ...kept(req.headers, DROPPED_FOR_DOORS), host: "gateway", authorization: credentials }),
    ...(req.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" }),
    // Whoever is told to close does so as soon as it has answered, which may be before it has read everything.
    connection: "keep-alive",
  };
  if (path === "/tools") return await forwardToolCall(way.path, req, res, headers, gone.signal);
  const answer = await sendOnward(way, req, { method: req.method, path, headers }, gone.signal);
  res.once("finish", () => lingerOver(req));
  res.shouldKeepAlive ||= !req.complete;
  res.writeHead(answer.statusCode ?? 502, kept(answer.headers, DROPPED));
  // Together with the first part of the body, when that is there already.
  setImmediate(() => {
    if (!res.destroyed && !res.writableEnded) res.flushHeaders();
  });
  answer.once("error", () => res.destroy());
  answer.pipe(res);
}

/** An answer may come before the end of the request: the rest of that is thrown away, so that the client can read it. */
function lingerOver(req: IncomingMessage): void {
  if (req.complete) return;
  req.unpipe().resume();
  const timer = setTimeout(() => req.destroy(), LINGER_MS);
  req.once("close", () => clearTimeout(timer));
}

function kept(
  headers: IncomingMessage["headers"],
  dropped: ReadonlySet<string>,
): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
