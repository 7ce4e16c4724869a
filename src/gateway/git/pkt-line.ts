import { invalidRequest } from "../../core/errors.ts";

/**
 * git's framing: four hex digits of length (their own four included), then the data. 0000 ends a list.
 * Source: gitprotocol-common(5), gitprotocol-pack(5).
 */
export type Packet = { kind: "data"; data: Buffer } | { kind: "flush" } | { kind: "delimiter" };

export const FLUSH = Buffer.from("0000");
export const DELIMITER = Buffer.from("0001");
const MAX_DATA_BYTES = 65_516;

export function pktLine(data: string | Buffer): Buffer {
  const bytes = Buffer.from(data);
  if (bytes.length > MAX_DATA_BYTES) throw new RangeError("a pkt-line holds at most 65516 bytes");
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** Cuts data into packets of one side-band-64k channel: 1 is the answer, 2 is text for the person. */
export function sideband(channel: 1 | 2, data: Buffer): Buffer {
  const packets: Buffer[] = [];
  for (let at = 0; at < data.length; at += MAX_DATA_BYTES - 1)
    packets.push(
      pktLine(Buffer.concat([Buffer.of(channel), data.subarray(at, at + MAX_DATA_BYTES - 1)])),
    );
  return Buffer.concat(packets);
}

export interface PacketReader {
  /** The next packet; null at the end of the input. */
  read(): Promise<Packet | null>;
  /** Everything that has not been read yet, as it comes. */
  rest(): AsyncGenerator<Buffer, void, undefined>;
}

export function createPacketReader(source: AsyncIterable<Uint8Array>): PacketReader {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);

  /** Waits until `size` bytes are held; false when the input ends before. */
  async function hold(size: number): Promise<boolean> {
    while (held.length < size) {
      const next = await iterator.next();
      if (next.done === true) return false;
      held = held.length === 0 ? Buffer.from(next.value) : Buffer.concat([held, next.value]);
    }
    return true;
  }

  return {
    async read() {
      if (!(await hold(4))) {
        if (held.length > 0) throw invalidRequest("", "the request ends in the middle of a packet");
        return null;
      }
      const digits = held.toString("latin1", 0, 4);
      const size = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
      if (size === 0 || size === 1) {
        held = held.subarray(4);
        return { kind: size === 0 ? "flush" : "delimiter" };
      }
      if (size < 4 || size > MAX_DATA_BYTES + 4)
        throw invalidRequest("", "the request is not in pkt-line format");
      if (!(await hold(size)))
        throw invalidRequest("", "the request ends in the middle of a packet");
      const data = held.subarray(4, size);
      held = held.subarray(size);
      return { kind: "data", data };
    },
    async *rest() {
      if (held.length > 0) yield held;
      held = Buffer.alloc(0);
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield Buffer.from(next.value);
    },
  };
}
