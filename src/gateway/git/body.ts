import type { IncomingMessage } from "node:http";
import { createGunzip } from "node:zlib";
import { invalidRequest, payloadTooLarge } from "../../core/errors.ts";

/**
 * A request's body, unzipped. Fails as `payload_too_large` beyond `maxBytes` of unzipped data. Leaving the loop early
 * keeps the connection, so that an answer can still be written.
 */
export async function* readBody(
  req: IncomingMessage,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* readAtMost(decoded(req), maxBytes);
}

function decoded(req: IncomingMessage): AsyncIterable<Buffer> {
  const encoding = req.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return chunks(req);
  if (encoding !== "gzip" && encoding !== "x-gzip")
    throw invalidRequest("content-encoding", "must be gzip or identity");
  const gunzip = createGunzip();
  // What goes wrong after the last look at it has nobody to listen, and must not take the hub down.
  gunzip.on("error", () => undefined);
  // `pipe` does not pass on the end of a connection that broke.
  req.once("close", () => {
    if (!req.complete) gunzip.destroy(new Error("the client went away"));
  });
  return chunks(req.pipe(gunzip), () => invalidRequest("body", "is not valid gzip"));
}

async function* chunks(
  stream: NodeJS.ReadableStream & {
    iterator(options: { destroyOnReturn: boolean }): AsyncIterableIterator<Buffer>;
  },
  explain?: () => Error,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk;
  } catch (error) {
    throw explain !== undefined && isZlibError(error) ? explain() : error;
  }
}

function isZlibError(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    error.code.startsWith("Z_")
  );
}

/** Passes chunks on until there have been too many of them. */
export async function* readAtMost(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.length;
    if (total > maxBytes) throw payloadTooLarge(maxBytes);
    yield chunk;
  }
}
