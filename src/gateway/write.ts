import type { Writable } from "node:stream";

/** Resolves when more may be written, or when writing has become pointless. */
export async function write(target: Writable, chunk: Uint8Array): Promise<void> {
  // An ended target is one whose answer has been given by somebody else: a refusal, while this was on its way.
  if (target.destroyed || target.writableEnded || target.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      target.off("drain", done).off("close", done);
      resolve();
    };
    target.once("drain", done).once("close", done);
  });
}
