import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writePrivate } from "./private-file.ts";

const NAME = "address";

/** Where a hub is reached on its own machine stands in its data directory for as long as it listens. */
export async function publishAddress(dir: string, url: string): Promise<AsyncDisposable> {
  await writePrivate(join(dir, NAME), `${reachable(url)}\n`);
  return { [Symbol.asyncDispose]: () => forgetAddress(dir) };
}

/** What a hub that was killed has left. The caller holds the directory. */
export async function forgetAddress(dir: string): Promise<void> {
  await rm(join(dir, NAME), { force: true });
}

/** Null: there is none. It is true only while a hub holds the directory. */
export async function readAddress(dir: string): Promise<string | null> {
  try {
    return (await readFile(join(dir, NAME), "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Who listens everywhere is reached by loopback as well, which every hub answers to. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}
