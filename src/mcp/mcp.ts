import type { Access } from "../core/access.ts";
import { later } from "../core/later.ts";
import type { McpDeps } from "./deps.ts";
import { library } from "./library.ts";
import { createServer } from "./server.ts";

/** The hub as a server of the Model Context Protocol. */
export interface Mcp {
  /**
   * Answers one request by streamable HTTP, of who has shown what he may, and remembers nothing of it: any hub may answer
   * the next one.
   *
   * @param request Without its body; its signal says that nobody waits any more.
   * @param body As it was sent, parsed.
   */
  answer(request: Request, body: unknown, access: Access): Promise<Response>;
}

/** Streams on which clients wait for news of the server itself; there are none. */
const SUBSCRIPTIONS = 10;

export function createMcp(deps: McpDeps): Mcp {
  const accesses = new WeakMap<Request, Access>();
  const handler = later(async () => {
    const loaded = await library();
    return loaded.createMcpHandler(
      ({ requestInfo }) => {
        const access = requestInfo === undefined ? undefined : accesses.get(requestInfo);
        if (access === undefined) throw new Error("nobody knows who asks");
        return createServer(loaded, deps, access);
      },
      {
        maxSubscriptions: SUBSCRIPTIONS,
        onerror: (error) => deps.log.debug({ err: error }, "a request by MCP was refused"),
      },
    );
  });
  return {
    async answer(request, body, access) {
      accesses.set(request, access);
      const { fetch } = await handler();
      return await fetch(request, body === undefined ? {} : { parsedBody: body });
    },
  };
}
