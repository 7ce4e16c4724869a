import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { write } from "../write.ts";

/** The session has had as many bytes as it may. */
export class BytesUsedUp extends Error {
  override name = "BytesUsedUp";
}

/** Passes bytes on at the pace of the slower side, and then the end. @param count False: no further. */
export async function pump(
  from: Readable,
  to: Writable,
  count: (bytes: number) => boolean,
): Promise<void> {
  for await (const part of from.iterator({ destroyOnReturn: false })) {
    const chunk = z.instanceof(Uint8Array).parse(part);
    if (!count(chunk.length)) throw new BytesUsedUp();
    await write(to, chunk);
  }
  to.end();
}
