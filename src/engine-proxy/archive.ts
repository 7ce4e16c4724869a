import { Refused } from "./refused.ts";

const BLOCK = 512;
const ENTRIES = 8;
const NUMBER = /^[0-7]+\0$/;

/**
 * Lets only the archives pass that the hub packs: few directories and small files in a container's own volume, in the
 * plainest form of tar, so that the engine reads the same as what was looked at. It unpacks them as root.
 *
 * @throws Refused
 */
export function checkArchive(archive: Buffer, names: readonly string[]): void {
  let at = 0;
  for (let count = 0; count < ENTRIES; count += 1) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw new Refused("the archive is cut off");
    if (header.every((byte) => byte === 0)) {
      if (!archive.subarray(at).every((byte) => byte === 0))
        throw new Refused("the archive has something after its end");
      return;
    }
    at += BLOCK + Math.ceil(checkHeader(header, names) / BLOCK) * BLOCK;
  }
  throw new Refused("the archive has too many entries");
}

/** Answers the size of what follows. */
function checkHeader(header: Buffer, names: readonly string[]): number {
  const field = (from: number, to: number) => header.toString("latin1", from, to);
  const name = field(0, 100).replace(/\0+$/, "");
  const isDir = name.endsWith("/");
  const size = field(124, 136);
  const plain =
    names.includes(name) &&
    field(100, 108) === (isDir ? "0000700\0" : "0000600\0") &&
    [field(108, 116), field(116, 124), size].every((text) => NUMBER.test(text)) &&
    // Nothing that belongs to root.
    Number.parseInt(field(108, 116), 8) !== 0 &&
    field(156, 157) === (isDir ? "5" : "0") &&
    field(257, 265) === "ustar\x0000" &&
    // No link, no names of owners, no numbers of a device, no prefix of the name.
    /^\0*$/.test(field(157, 257) + field(265, BLOCK)) &&
    (!isDir || Number.parseInt(size, 8) === 0);
  if (!plain) throw new Refused("the archive holds what the hub does not put into a container");
  return Number.parseInt(size, 8);
}
