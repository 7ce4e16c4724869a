import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Hono } from "hono";
import type { HttpEnv } from "./deps.ts";

export interface HttpServer extends AsyncDisposable {
  url: string;
}

const LIMITS = {
  maxHeaderBytes: 16_384,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 120_000,
  keepAliveTimeoutMs: 65_000,
  maxConnections: 10_000,
  /** How long requests that run may take when the hub stops. */
  drainMs: 2_000,
  /** How long a client may still send after it was answered. */
  lingerMs: 5_000,
};

/** Listens. Rejects with one sentence when the address cannot be had. */
export async function listen(
  app: Hono<HttpEnv>,
  { host, port }: { host: string; port: number },
): Promise<HttpServer> {
  const server = createServer({
    maxHeaderSize: LIMITS.maxHeaderBytes,
    headersTimeout: LIMITS.headersTimeoutMs,
    requestTimeout: LIMITS.requestTimeoutMs,
    keepAliveTimeout: LIMITS.keepAliveTimeoutMs,
  });
  const answer = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    errorHandler: notARequest,
    // We linger ourselves: half a second is not enough for a client on a busy machine.
    autoCleanupIncoming: false,
  });
  const open = new Set<ServerResponse>();
  server.on("request", (req, res) => {
    open.add(res);
    res.once("close", () => open.delete(res));
    res.once("finish", () => lingerOver(req));
    void answer(req, res);
  });
  server.maxConnections = LIMITS.maxConnections;
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new Error(`cannot listen on ${host}:${port} (${why})`, { cause: error });
  }
  const address = server.address();
  const bound = address !== null && typeof address === "object" ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      // Event streams would go on for as long as their sessions do; their readers come back to the next hub.
      for (const res of open) if (isEventStream(res)) res.destroy();
      const timer = setTimeout(() => server.closeAllConnections(), LIMITS.drainMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/**
 * After an answer that came before the end of the request (too large, not authorised): what is still sent is thrown
 * away for a while, because a client that is cut off while it sends never sees the answer.
 */
function lingerOver(req: IncomingMessage): void {
  if (req.complete) return;
  req.resume();
  const timer = setTimeout(() => req.destroy(), LIMITS.lingerMs);
  req.once("close", () => clearTimeout(timer));
}

/** The request line or the Host header make no address, so the app was not even asked. */
function notARequest(error: unknown): Response {
  if (!(error instanceof RequestError)) throw error;
  return Response.json({ success: false, error: "The request is not valid HTTP" }, { status: 400 });
}

function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}
