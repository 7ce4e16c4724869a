import { randomUUID } from "node:crypto";
import { request } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { connectPatiently } from "./onward.ts";

/** More than the hub takes: what is longer is cut here, and refused by the hub, in whose log that stands. */
const MAX_BODY_BYTES = 1_048_576;
/** Clients give up what they hear nothing of. */
const TELL_MS = 15_000;
const RETRY_MS = 250;
const STREAM = "text/event-stream";
const NEXT_EVENT = "\n\n";

/**
 * Has the hub do something for the agent, once, and for as long as it takes: when the hub dies before it has answered, it is
 * asked again under the same name, so that what it has done it does not do twice.
 */
export async function forwardToolCall(
  path: string,
  req: IncomingMessage,
  res: ServerResponse,
  headers: OutgoingHttpHeaders,
  gone: AbortSignal,
): Promise<void> {
  // Calls are rare: the next one would come just when a kept connection is ended.
  res.shouldKeepAlive = false;
  const body = await read(req);
  const { "transfer-encoding": _, ...named } = headers;
  const ask = {
    method: req.method,
    path: "/tools",
    headers: {
      ...named,
      "content-length": body.length,
      "x-claude-hub-request": randomUUID(),
    },
  };
  const timer = setInterval(() => {
    if (res.headersSent) res.write(`: waiting${NEXT_EVENT}`);
  }, TELL_MS);
  try {
    while (!gone.aborted) {
      const connection = await connectPatiently(path, gone);
      const onward = request({ ...ask, createConnection: () => connection });
      const stop = () => onward.destroy();
      gone.addEventListener("abort", stop, { once: true });
      try {
        if (await pass(await answerTo(onward, body), res)) return;
      } catch (error) {
        if (gone.aborted) throw error;
      } finally {
        gone.removeEventListener("abort", stop);
        onward.destroy();
        // A request that has its answer has let go of it: left to itself it would count against the sandbox.
        connection.destroy();
      }
      await pause(RETRY_MS, undefined, { signal: gone });
    }
  } finally {
    clearInterval(timer);
  }
}

async function read(req: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of req as AsyncIterable<Buffer>) {
    if (bytes < MAX_BODY_BYTES) parts.push(part);
    bytes += part.length;
  }
  return Buffer.concat(parts);
}

function answerTo(onward: ReturnType<typeof request>, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    onward.on("error", reject);
    onward.once("response", resolve);
    onward.end(body);
  });
}

/** False: it is to be asked again. Throws when the answer breaks off. */
async function pass(answer: IncomingMessage, res: ServerResponse): Promise<boolean> {
  const status = answer.statusCode ?? 502;
  const type = answer.headers["content-type"] ?? "";
  answer.setEncoding("utf8");
  if (!type.startsWith(STREAM)) {
    let text = "";
    for await (const part of answer) text += String(part);
    // The head of a stream is out: of what is none, nothing fits into it. The session is over, or the hub not yet ready.
    if (res.headersSent) {
      if (status >= 500 || status === 429) return false;
      res.destroy();
      return true;
    }
    res.writeHead(status, { "content-type": type, ...retryAfter(answer) }).end(text);
    return true;
  }
  if (!res.headersSent) {
    res.writeHead(status, { "content-type": type, "cache-control": "no-store" });
    res.flushHeaders();
  }
  // Only whole events: what breaks off comes again.
  let rest = "";
  for await (const part of answer) {
    rest += String(part);
    const end = rest.lastIndexOf(NEXT_EVENT);
    if (end === -1) continue;
    res.write(rest.slice(0, end + NEXT_EVENT.length));
    rest = rest.slice(end + NEXT_EVENT.length);
  }
  if (!answer.complete) return false;
  res.end(rest);
  return true;
}

function retryAfter({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const after = headers["retry-after"];
  return after === undefined ? {} : { "retry-after": after };
}
