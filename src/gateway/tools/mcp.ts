import type { ServerContext } from "@modelcontextprotocol/server";
import type { Logger } from "pino";
import { z } from "zod";
import { later } from "../../core/later.ts";
import { newId } from "../../core/id.ts";
import type { Tool } from "../../core/tool.ts";
import type { Asked, Told } from "./calls.ts";

/** Loaded with the first call: hubs without a bot need none of it. */
const library = later(() => import("@modelcontextprotocol/server"));

/**
 * Answers one request of the Model Context Protocol, and remembers nothing of it. The answer is to be disposed of when it has
 * been passed on.
 */
export async function answerMcp(
  request: Request,
  options: {
    tools: readonly Tool[];
    call(asked: Pick<Asked, "tool" | "input" | "progress">): Promise<Told>;
    /** The model asked for what cannot even be tried. */
    onInvalid(tool: string, reason: string): Promise<void>;
    log: Logger;
  },
): Promise<{ response: Response } & AsyncDisposable> {
  const { tools, call, onInvalid, log } = options;
  const { Server, ProtocolError, ProtocolErrorCode, WebStandardStreamableHTTPServerTransport } =
    await library();
  const server = new Server({ name: "claude-hub", version: "1" }, { capabilities: { tools: {} } });
  async function invalid(name: string, reason: string) {
    await onInvalid(name, reason);
    return new ProtocolError(ProtocolErrorCode.InvalidParams, `${name}: ${reason}`);
  }
  server.setRequestHandler("tools/list", () => ({ tools: tools.map(described) }));
  server.setRequestHandler("tools/call", async ({ params }, { mcpReq }) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined) throw await invalid(params.name.slice(0, 100), "there is no such tool");
    const input = tool.input.safeParse(params.arguments ?? {});
    if (!input.success) throw await invalid(tool.name, whyNot(input.error));
    try {
      const progress = progressOf(mcpReq, log);
      const { text, isRefused } = await call({ tool, input: input.data, progress });
      return { content: [{ type: "text", text }], isError: isRefused };
    } catch (error) {
      const reference = newId();
      log.error({ err: error, reference, tool: tool.name }, "a tool has failed");
      throw new ProtocolError(
        ProtocolErrorCode.InternalError,
        `the hub could not do it (reference ${reference})`,
      );
    }
  });
  const transport = new WebStandardStreamableHTTPServerTransport({
    enableJsonResponse: !tools.some(({ waits }) => waits === true),
  });
  await server.connect(transport);
  try {
    const response = await transport.handleRequest(request);
    return { response, [Symbol.asyncDispose]: () => server.close() };
  } catch (error) {
    await server.close();
    throw error;
  }
}

function progressOf(mcpReq: ServerContext["mcpReq"], log: Logger): Asked["progress"] {
  const progressToken = mcpReq._meta?.progressToken;
  let told = 0;
  return (message) => {
    if (progressToken === undefined) return;
    told += 1;
    const params = { progressToken, progress: told, message };
    mcpReq
      .notify({ method: "notifications/progress", params })
      .catch((error: unknown) => log.debug({ err: error }, "progress was told to nobody"));
  };
}

function described({ name, description, input }: Tool) {
  return {
    name,
    description,
    inputSchema: InputSchema.parse(z.toJSONSchema(input, { io: "input" })),
  };
}

const InputSchema = z.object({
  type: z.literal("object"),
  properties: z.record(z.string(), z.json()),
  required: z.array(z.string()).default([]),
  additionalProperties: z.boolean().default(false),
});

const REASONS = 5;

function whyNot({ issues }: z.ZodError): string {
  return issues
    .slice(0, REASONS)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
    .join("; ")
    .slice(0, 1_000);
}
