import { createParser } from "eventsource-parser";
import { z } from "zod";

const Message = z.looseObject({
  id: z.union([z.string(), z.number()]).nullish(),
  method: z.string().optional(),
  params: z.looseObject({ message: z.string().optional() }).optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
});

const Called = z.looseObject({
  content: z.array(z.looseObject({ type: z.string(), text: z.string() })),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.boolean().optional(),
});

export interface McpAnswer {
  status: number;
  result: Record<string, unknown> | undefined;
  error: { code: number; message: string } | undefined;
  /** Of progress, as it was told. */
  progress: string[];
}

/** Speaks the Model Context Protocol by hand, so that tests can also say what no client would. */
export function mcpClient(options: { url: string; token: string }) {
  let lastId = 0;

  async function post(body: string, more: RequestInit = {}): Promise<Response> {
    return await fetch(`${options.url}/mcp`, {
      method: "POST",
      body,
      ...more,
      headers: {
        authorization: `Bearer ${options.token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
        ...Object.fromEntries(new Headers(more.headers)),
      },
    });
  }

  async function request(
    method: string,
    params: Record<string, unknown> = {},
    more: RequestInit = {},
  ): Promise<McpAnswer> {
    lastId += 1;
    const id = lastId;
    const answer = await post(JSON.stringify({ jsonrpc: "2.0", id, method, params }), more);
    const messages = messagesOf(await answer.text(), answer.headers.get("content-type") ?? "");
    const last = messages.find((message) => message.id === id);
    return {
      status: answer.status,
      result: last?.result,
      error: last?.error,
      progress: messages.flatMap(({ method: told, params: about }) =>
        told === "notifications/progress" ? [about?.message ?? ""] : [],
      ),
    };
  }

  /** Calls a tool. @throws When the protocol itself refuses it. */
  async function call(name: string, input: Record<string, unknown> = {}) {
    const { status, result, error, progress } = await request("tools/call", {
      name,
      arguments: input,
      _meta: { progressToken: "t" },
    });
    if (error !== undefined) throw new Error(`${error.code} ${error.message}`);
    if (result === undefined) throw new Error(`the hub answered ${status}`);
    const { content, structuredContent, isError = false } = Called.parse(result);
    return {
      text: content[0]?.text ?? "",
      structured: structuredContent ?? {},
      isError,
      progress,
    };
  }

  return { post, request, call };
}

function messagesOf(text: string, contentType: string): z.infer<typeof Message>[] {
  if (!contentType.startsWith("text/event-stream")) {
    const message = z.string().min(1).safeParse(text);
    return message.success ? [Message.parse(JSON.parse(text))] : [];
  }
  const messages: z.infer<typeof Message>[] = [];
  const parser = createParser({
    onEvent: ({ data }) => void messages.push(Message.parse(JSON.parse(data))),
  });
  parser.feed(text);
  return messages;
}
