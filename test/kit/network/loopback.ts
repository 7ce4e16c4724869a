import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { z } from "zod";

export interface Listening {
  url: string;
  /** Cuts open connections too. */
  close: () => Promise<void>;
}

/** Makes a server listen on a free port of 127.0.0.1. */
export async function listenOnLoopback(server: Server): Promise<Listening> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Aborted when the connection is gone, so that nothing waits for a client that has left. */
export function closeSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return gone.signal;
}

export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    const bytes = z.instanceof(Uint8Array).parse(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes > limitBytes) throw new Error(`body is larger than ${limitBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
