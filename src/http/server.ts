import { once } from "node:events";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
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
  });
  const open = new Set<ServerResponse>();
  server.on("request", (req, res) => {
    open.add(res);
    res.once("close", () => open.delete(res));
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

/** The request line or the Host header make no address, so the app was not even asked. */
function notARequest(error: unknown): Response {
  if (!(error instanceof RequestError)) throw error;
  return Response.json({ success: false, error: "The request is not valid HTTP" }, { status: 400 });
}

function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}
