import { rateLimited } from "../core/errors.ts";
import type { Guard } from "./auth.ts";
import { parseJson, readBody } from "./body.ts";
import type { HttpContext, HttpDeps } from "./deps.ts";
import { whileGood } from "./good.ts";
import { createOriginCheck } from "./host.ts";

const RETRY_AFTER_SECONDS = 5;
/** What the protocol says in headers. */
const PASSED = ["accept", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"];

/**
 * The door of the Model Context Protocol: who may come in, how much is taken in, and how many at once. No session of
 * the transport is kept, so there is nothing between two requests.
 */
export function createMcpDoor(deps: HttpDeps, guard: Guard): (c: HttpContext) => Promise<Response> {
  const { settings } = deps;
  const checkOrigin = createOriginCheck([settings.host, ...settings.allowedHosts]);
  const places = createPlaces(settings.mcpCalls, settings.mcpCallsPerToken);

  return async (c) => {
    checkOrigin(c.req.header("origin"));
    const access = await guard.access(c);
    const body = await bodyOf(c, settings.apiBodyBytes);
    // Nobody would say that it has left, and its place would never be given back.
    if (c.env.outgoing.destroyed) return new Response(null, { status: 499 });
    const leave = places.take(access.tokenId ?? "");
    const good = whileGood(access, {
      tokens: deps.tokens,
      everyMs: settings.sseHeartbeatMs,
      log: deps.log,
    });
    const gone = new AbortController();
    c.env.outgoing.once("close", () => {
      gone.abort();
      good.stop();
      leave();
    });
    // What is under way for a token that is good no more gets no answer.
    good.signal.addEventListener("abort", () => c.env.outgoing.destroy(), { once: true });
    return await deps.mcp(requestOf(c, gone.signal), body, access);
  };
}

/** Undefined with other methods: of those none is served. */
async function bodyOf(c: HttpContext, maxBytes: number): Promise<unknown> {
  if (c.req.method !== "POST") return undefined;
  return parseJson(await readBody(c.env.incoming, maxBytes));
}

function requestOf(c: HttpContext, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const name of PASSED) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  return new Request("http://hub/mcp", { method: c.req.method, headers, signal });
}

/** So many at once, and so many with one token; who takes one gives it back once. */
function createPlaces(most: number, mostEach: number): { take(token: string): () => void } {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(token) {
      const own = taken.get(token) ?? 0;
      if (all >= most || own >= mostEach)
        throw rateLimited("open calls by MCP", RETRY_AFTER_SECONDS);
      all += 1;
      taken.set(token, own + 1);
      return () => {
        all -= 1;
        const left = (taken.get(token) ?? 1) - 1;
        if (left === 0) taken.delete(token);
        else taken.set(token, left);
      };
    },
  };
}
