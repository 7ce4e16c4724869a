import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** The agent's and git's way out of the sandbox. */
export interface Forwarder extends AsyncDisposable {
  url: string;
}

const DOORS = /^\/(git|model)\//;
/** Headers of one connection, and those that are the forwarder's own to say. */
const DROPPED = new Set([
  "authorization",
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-api-key",
]);
/** How long a request waits for a hub that is being restarted. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 50;

/** Listens on loopback and adds the session token to what goes to the git door and the model door. */
export async function startForwarder(options: {
  socket: string;
  token: string;
}): Promise<Forwarder> {
  const server = createServer((req, res) => {
    forward(options, req, res).catch(() => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502).end("the hub could not be reached\n");
    });
  });
  // A model may think for a long time before it says a word.
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no loopback port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function forward(
  { socket, token }: { socket: string; token: string },
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const path = req.url ?? "/";
  if (!DOORS.test(path)) {
    res.writeHead(404).end("only the repository and the model can be reached from here\n");
    return;
  }
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  // Nothing of the request is read before there is somebody to take it.
  const connection = await connectPatiently(socket, gone.signal);
  const onward = request({
    createConnection: () => connection,
    method: req.method,
    path,
    headers: { ...kept(req.headers), host: "gateway", authorization: `Bearer ${token}` },
  });
  gone.signal.addEventListener("abort", () => onward.destroy(), { once: true });
  req.pipe(onward);
  req.once("error", () => onward.destroy());
  const [answer] = await onceResponse(onward);
  res.writeHead(answer.statusCode ?? 502, kept(answer.headers));
  res.flushHeaders();
  answer.once("error", () => res.destroy());
  answer.pipe(res);
}

function onceResponse(onward: ReturnType<typeof request>): Promise<[IncomingMessage]> {
  return new Promise((resolve, reject) => {
    onward.on("error", reject);
    onward.once("response", (answer) => resolve([answer]));
  });
}

async function connectPatiently(path: string, gone: AbortSignal): Promise<Socket> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const socket = connect(path);
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

function kept(headers: IncomingMessage["headers"]): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.has(name)));
}
