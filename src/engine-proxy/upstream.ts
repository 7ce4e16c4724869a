import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Refused } from "./refused.ts";

const ANSWER_BYTES = 16 * 1_048_576;

interface Asked {
  method: string;
  path: string;
  body?: { type: string; bytes: Buffer };
  signal?: AbortSignal;
}

/** The engine itself. Every request to it is made here from parts that were looked at; no header of a client gets there. */
export function createUpstream(socketPath: string) {
  const headers = { host: "engine" };

  async function open({ method, path, body, signal }: Asked): Promise<IncomingMessage> {
    const asked = request({
      socketPath,
      method,
      path,
      agent: false,
      headers: {
        ...headers,
        ...(body === undefined
          ? { "content-length": 0 }
          : { "content-type": body.type, "content-length": body.bytes.length }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    return await new Promise((resolve, reject) => {
      asked.once("response", resolve);
      asked.on("error", reject);
      asked.end(body?.bytes);
    });
  }

  return {
    open,
    /** The whole answer. */
    async ask(method: string, path: string): Promise<{ status: number; body: unknown }> {
      const answer = await open({ method, path });
      const text = (await readAll(answer, ANSWER_BYTES)).toString("utf8");
      const status = answer.statusCode ?? 502;
      return { status, body: status === 200 ? JSON.parse(text) : text };
    },
    /** A connection that is no HTTP any more, and what came with it; or the answer that says why there is none. */
    async upgrade(path: string): Promise<{ socket: Socket; head: Buffer } | IncomingMessage> {
      const asked = request({
        method: "POST",
        path,
        headers: { ...headers, connection: "Upgrade", upgrade: "tcp" },
        // Each side may end before the other.
        createConnection: () => connect({ path: socketPath, allowHalfOpen: true }),
      });
      return await new Promise((resolve, reject) => {
        asked.once("upgrade", (_answer, socket: Socket, head) => resolve({ socket, head }));
        asked.once("response", resolve);
        asked.on("error", reject);
        asked.end();
      });
    },
  };
}
export type Upstream = ReturnType<typeof createUpstream>;

/** @throws Refused when it is longer. */
export async function readAll(from: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of from) {
    size += piece.length;
    if (size > maxBytes) throw new Refused("the body is too long", 413);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
