import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Directories that live as long as one piece of work, beside the mirrors so that they can be renamed into place. */
export interface Scratch {
  /** Runs work with a fresh directory, and removes what is left of it. */
  with<Result>(work: (dir: string) => Promise<Result>): Promise<Result>;
  /** Removes what killed hubs left. */
  sweep(): Promise<void>;
}

const MAX_AGE_MS = 3_600_000;

export function createScratch(root: string): Scratch {
  const ours = new Set<string>();

  return {
    async with(work) {
      const name = `${process.pid}-${randomBytes(8).toString("hex")}`;
      ours.add(name);
      try {
        await mkdir(join(root, name), { recursive: true, mode: 0o700 });
        return await work(join(root, name));
      } finally {
        await rm(join(root, name), { recursive: true, force: true, maxRetries: 3 });
        ours.delete(name);
      }
    },
    async sweep() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      for (const name of await readdir(root)) {
        // Our own process id on a name that we did not make: an earlier hub had it (in a container, always).
        const pid = Number.parseInt(name, 10);
        const inUse = pid === process.pid ? ours.has(name) : isAlive(pid);
        if (!inUse || (!ours.has(name) && (await ageMs(join(root, name))) > MAX_AGE_MS))
          await rm(join(root, name), { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found === null ? 0 : Date.now() - found.mtimeMs;
}
