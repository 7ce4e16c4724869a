import { once } from "node:events";
import { request } from "node:http";
import type { Agent, IncomingMessage, RequestOptions } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** How long a request waits for a hub that is being restarted. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 50;
/** Of a body that is remembered until it is answered. */
const MAX_REMEMBERED_BYTES = 1_048_576;

/** Sends a client's request on to the gateway. Resolves with the head of its answer. */
export async function sendOnward(
  { path, agent }: { path: string; agent: Agent },
  req: IncomingMessage,
  options: RequestOptions,
  gone: AbortSignal,
): Promise<IncomingMessage> {
  const remembered = remember(req, options.path ?? "");
  if (remembered !== null) {
    const onward = request({ ...options, socketPath: path, agent });
    req.pipe(onward);
    try {
      return await answerTo(onward, gone);
    } catch (error) {
      // A kept connection may have ended with the hub that held it; and the hub may just be away.
      if (gone.aborted || !(onward.reusedSocket || isUnreachable(error))) throw error;
      req.unpipe(onward);
    }
  }
  // Nothing more of the request is read before there is somebody to take it.
  const connection = await connectPatiently(path, gone);
  const onward = request({ ...options, createConnection: () => connection });
  for (const part of remembered ?? []) onward.write(part);
  if (req.readableEnded) onward.end();
  else req.pipe(onward);
  const answer = await answerTo(onward, gone);
  // Nobody uses it again: left to itself it would count against the sandbox until the gateway gives it up.
  answer.once("close", () => connection.destroy());
  return answer;
}

/** Keeps trying while the hub is away. */
export async function connectPatiently(path: string, gone: AbortSignal): Promise<Socket> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const socket = connect({ path, allowHalfOpen: true });
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

/** What is read of a model call, so that it can be sent twice; null for all else, which changes things or is large. */
function remember(req: IncomingMessage, path: string): Buffer[] | null {
  const bytes = Number(req.headers["content-length"] ?? Number.NaN);
  if (!path.startsWith("/model/") || !(bytes <= MAX_REMEMBERED_BYTES)) return null;
  const parts: Buffer[] = [];
  req.on("data", (part: Buffer) => parts.push(part));
  return parts;
}

function answerTo(onward: ReturnType<typeof request>, gone: AbortSignal): Promise<IncomingMessage> {
  gone.addEventListener("abort", () => onward.destroy(), { once: true });
  return new Promise((resolve, reject) => {
    onward.on("error", reject);
    onward.once("response", (answer) => {
      // What was not heard or said to its end is of no use for another request.
      answer.once("close", () => {
        if (!answer.complete || !onward.writableFinished) onward.destroy();
      });
      resolve(answer);
    });
  });
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "connect";
}
