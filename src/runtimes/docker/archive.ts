const BLOCK = 512;

interface Owner {
  uid: number;
  gid: number;
}

/** A tar archive (POSIX ustar) of some directories, which end in a slash, and small files. */
export function packArchive(entries: Record<string, string | null>, { uid, gid }: Owner): Buffer {
  const blocks = Object.entries(entries).flatMap(([name, text]) => {
    const body = Buffer.from(text ?? "");
    return [header(name, body.length, { uid, gid }), padded(body)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** The content of the first file of an archive; null when what stands there is no file. */
export function firstFile(archive: Buffer): string | null {
  const type = archive.toString("latin1", 156, 157);
  if (archive.length < BLOCK || (type !== "0" && type !== "\0")) return null;
  const size = Number.parseInt(archive.toString("latin1", 124, 136), 8);
  return archive.toString("utf8", BLOCK, BLOCK + size);
}

function header(name: string, size: number, { uid, gid }: Owner): Buffer {
  const block = Buffer.alloc(BLOCK);
  const isDir = name.endsWith("/");
  block.write(name, 0, 100, "utf8");
  block.write(octal(isDir ? 0o700 : 0o600, 8), 100, "latin1");
  block.write(octal(uid, 8), 108, "latin1");
  block.write(octal(gid, 8), 116, "latin1");
  block.write(octal(size, 12), 124, "latin1");
  block.write(octal(0, 12), 136, "latin1");
  // The checksum is taken with blanks in its own place.
  block.fill(" ", 148, 156);
  block.write(isDir ? "5" : "0", 156, "latin1");
  block.write("ustar", 257, "latin1");
  block.write("00", 263, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)} `, 148, "latin1");
  return block;
}

function octal(value: number, length: number): string {
  const digits = value.toString(8).padStart(length - 1, "0");
  if (digits.length > length - 1) throw new Error(`${value} does not fit a tar archive`);
  return `${digits}\0`;
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}
