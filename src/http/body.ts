import type { IncomingMessage } from "node:http";
import { invalidRequest, payloadTooLarge } from "../core/errors.ts";

/** Reads a body of at most `maxBytes`; fails as `payload_too_large` before it has more than that in memory. */
export function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(req.headers["content-length"] ?? 0) > maxBytes) {
      reject(payloadTooLarge(maxBytes));
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    req.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        req.removeAllListeners("data").resume();
        chunks.length = 0;
        reject(payloadTooLarge(maxBytes));
      }
    });
    req.on("end", () =>
      resolve(chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks)),
    );
    req.on("error", reject);
    req.on("aborted", () => reject(invalidRequest("", "the request was cut off")));
  });
}
const EMPTY = Buffer.alloc(0);

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** JSON in UTF-8, and nothing else. */
export function parseJson(body: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw invalidRequest("", "The body is not valid UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest("", "The body is not valid JSON");
  }
}
