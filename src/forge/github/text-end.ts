/** The end of a text that is read as it comes; of what is before it no more than as much again is held. */
export async function endOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  let end: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    end = Buffer.concat([end, chunk]);
    if (end.length > 2 * maxBytes) end = end.subarray(-maxBytes);
  }
  return end.subarray(-maxBytes).toString("utf8").toWellFormed();
}
