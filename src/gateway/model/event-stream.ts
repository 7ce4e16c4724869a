import { z } from "zod";
import { parseJson } from "../json.ts";

/** Total length, length of the headers, checksum of the two. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
/** AWS allows 16 MiB; what claims to be longer is no such stream, and reading ends. */
const MAX_FRAME_BYTES = 16 * 1_048_576 + 131_072;

const Chunk = z.object({ bytes: z.string() });

/** Takes a copy of a stream's bytes, in whatever pieces they come. */
export interface FrameReader {
  feed(chunk: Uint8Array): void;
}

/**
 * The framing of Amazon's event streams, as far as it holds events of the Messages API: each frame's payload is
 * `{"bytes": "<base64 of one event>"}`. Checksums are the client's business; this reads along.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html and InvokeModelWithResponseStream.
 */
export function createFrameReader(onEvent: (json: string) => void): FrameReader {
  let pending: Buffer[] = [];
  let size = 0;
  let broken = false;

  /** The pending bytes as one; joined only when a whole frame is there. */
  function joined(): Buffer {
    const one = pending.length === 1 ? pending[0] : undefined;
    const all = one ?? Buffer.concat(pending);
    pending = [all];
    return all;
  }

  function frameBytes(): number {
    if (size < PRELUDE_BYTES) return Number.POSITIVE_INFINITY;
    const first = pending[0];
    const length = (first !== undefined && first.length >= 4 ? first : joined()).readUInt32BE(0);
    broken = length < PRELUDE_BYTES + CHECKSUM_BYTES || length > MAX_FRAME_BYTES;
    return length;
  }

  return {
    feed(chunk) {
      if (broken) return;
      pending.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
      size += chunk.length;
      for (let length = frameBytes(); !broken && length <= size; length = frameBytes()) {
        const all = joined();
        const headers = all.readUInt32BE(4);
        const json = eventIn(
          all.toString("latin1", PRELUDE_BYTES + headers, length - CHECKSUM_BYTES),
        );
        if (json !== null) onEvent(json);
        size -= length;
        pending = size === 0 ? [] : [all.subarray(length)];
      }
      if (broken) pending = [];
    },
  };
}

/** Base64 and its wrapping are ASCII. Errors in the midst of a stream have other payloads. */
function eventIn(payload: string): string | null {
  const chunk = Chunk.safeParse(parseJson(payload));
  return chunk.success ? Buffer.from(chunk.data.bytes, "base64").toString() : null;
}
