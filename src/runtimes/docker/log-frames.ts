const HEADER_BYTES = 8;

/** Engines put eight bytes before each piece of output: which stream it is, and its length. */
export function unframe(log: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= log.length;) {
    const from = at + HEADER_BYTES;
    at = from + log.readUInt32BE(at + 4);
    pieces.push(log.subarray(from, at));
  }
  return Buffer.concat(pieces).toString("utf8");
}
