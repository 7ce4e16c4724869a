import { chmod, mkdir, stat } from "node:fs/promises";
import { lockDirectory } from "./lock.ts";

/** The hub's directory, held for one hub alone until it is disposed of or its process ends. */
export interface DataDir extends AsyncDisposable {
  path: string;
}

/** There are sockets in it: their addresses hold 103 bytes, and the longest of their names takes 17. */
const LONGEST_PATH_BYTES = 86;

/** Makes the directory for the owner alone and takes its lock. Throws, in one sentence, when that cannot be. */
export async function openDataDir(path: string): Promise<DataDir> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES)
    throw new Error(
      `the path of the data directory ${path} is longer than ${LONGEST_PATH_BYTES} bytes, too long for the sockets in it`,
    );
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(path);
  if (process.getuid !== undefined && uid !== process.getuid())
    throw new Error(`the data directory ${path} belongs to another user`);
  // Others may have put anything there.
  if ((mode & 0o022) !== 0)
    throw new Error(`the data directory ${path} can be written by others; it must have mode 0700`);
  if ((mode & 0o077) !== 0) await chmod(path, 0o700);
  const lock = await lockDirectory(path);
  return { path, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() };
}
