import { createParser } from "eventsource-parser";
import { z } from "zod";
import { reach } from "./hub.ts";
import { refusalOf } from "./refusal.ts";

const Id = z.union([z.string(), z.number()]);
const VERSION = "io.modelcontextprotocol/protocolVersion";
const Message = z.looseObject({
  id: Id.optional(),
  method: z.string(),
  params: z
    .looseObject({
      _meta: z.looseObject({ [VERSION]: z.string().optional() }).optional(),
      name: z.string().optional(),
      uri: z.string().optional(),
      requestId: Id.optional(),
    })
    .optional(),
});
type Message = z.infer<typeof Message>;
const Initialized = z.looseObject({ result: z.looseObject({ protocolVersion: z.string() }) });
const Answer = z.looseObject({ jsonrpc: z.literal("2.0"), id: Id });

const PARSE_ERROR = -32_700;
const SERVER_ERROR = -32_000;
/** Of a hub whose settings are the usual ones. */
const LINE_CHARS = 2 * 1024 * 1024;
const AT_ONCE = 100;

/**
 * Carries messages of the Model Context Protocol between a client, who speaks by lines, and a hub. Ends with its input; what
 * is under way then is left.
 */
export async function bridgeMcp(options: {
  url: string;
  token: string;
  lines: AsyncIterable<string>;
  /** One message, without the end of its line. */
  write(message: string): void;
}): Promise<void> {
  const { lines, write } = options;
  const open = new Map<string | number, AbortController>();
  const underWay = new Set<Promise<void>>();
  let version: string | undefined;

  function refuse(id: string | number | null, code: number, message: string): void {
    write(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } }));
  }

  async function pass(message: Message, line: string, until: AbortSignal): Promise<void> {
    const answer = await reach(`${options.url}/mcp`, {
      method: "POST",
      body: line,
      headers: {
        authorization: `Bearer ${options.token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headersOf(message, version),
      },
      signal: until,
    });
    let isAnswered = message.id === undefined;
    await eachMessage(answer, (text) => {
      const parsed: unknown = JSON.parse(text);
      const begun = message.method === "initialize" ? Initialized.safeParse(parsed) : undefined;
      if (begun?.success === true) version = begun.data.result.protocolVersion;
      const found = Answer.safeParse(parsed);
      isAnswered ||= found.success && found.data.id === message.id;
      write(text);
    });
    if (!isAnswered) throw new Error("the hub has cut the answer off");
  }

  async function handle(message: Message, line: string): Promise<void> {
    const { id, method, params } = message;
    const gone = new AbortController();
    if (id === undefined && method === "notifications/cancelled") {
      open.get(params?.requestId ?? "")?.abort();
      return;
    }
    if (id !== undefined && open.size >= AT_ONCE) {
      refuse(id, SERVER_ERROR, `more than ${AT_ONCE} requests at once`);
      return;
    }
    if (id !== undefined) open.set(id, gone);
    try {
      await pass(message, line, gone.signal);
    } catch (error) {
      // Who has cancelled a request wants no answer, and who sent none gets none.
      if (gone.signal.aborted || id === undefined) return;
      refuse(id, SERVER_ERROR, error instanceof Error ? error.message : String(error));
    } finally {
      if (id !== undefined) open.delete(id);
    }
  }

  for await (const line of lines) {
    const message = line.length > LINE_CHARS ? undefined : messageOf(line);
    if (message === undefined) {
      refuse(null, PARSE_ERROR, "not a message of the protocol, or too long");
      continue;
    }
    const work = handle(message, line).finally(() => underWay.delete(work));
    underWay.add(work);
    // The version that the rest is said in is known after that.
    if (message.method === "initialize") await work;
  }
  for (const one of open.values()) one.abort();
  await Promise.all(underWay);
}

function messageOf(line: string): Message | undefined {
  try {
    return Message.safeParse(JSON.parse(line)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What goes by headers over HTTP: by the newer revision for each message, by the older one what was agreed upon. */
function headersOf({ method, params }: Message, agreed: string | undefined) {
  const own = params?._meta?.[VERSION];
  if (own === undefined) return agreed === undefined ? {} : { "mcp-protocol-version": agreed };
  const name = params?.name ?? params?.uri;
  return {
    "mcp-protocol-version": own,
    "mcp-method": method,
    ...(name === undefined ? {} : { "mcp-name": headerValue(name) }),
  };
}

/** As the protocol writes what a header cannot hold. */
function headerValue(text: string): string {
  const isPlain = /^[\x21-\x7e]+$/.test(text) && !text.startsWith("=?");
  return isPlain ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

async function eachMessage(answer: Response, take: (text: string) => void): Promise<void> {
  const type = answer.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream") && answer.body !== null) {
    const parser = createParser({ onEvent: ({ data }) => take(data) });
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) parser.feed(part);
  } else if (type.startsWith("application/json")) take(JSON.stringify(await answer.json()));
  else if (!answer.ok) throw await refusalOf(answer);
}
