import { chmod, lstat, mkdir, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkSandboxName, isSandboxName } from "./sandbox-name.ts";

const LOG_TAIL_BYTES = 16_384;
/** The runner prints next to nothing; what is longer than this was not meant, and is cut to its tail. */
const LOG_BYTES = 1_048_576;

/** Directories of one sandbox on the machine. */
export interface SandboxDir {
  path: string;
  workspace: string;
  home: string;
  spool: string;
  log: string;
}

export function sandboxDir(sandboxesDir: string, name: string): SandboxDir {
  const path = join(sandboxesDir, checkSandboxName(name));
  return {
    path,
    workspace: join(path, "workspace"),
    home: join(path, "home"),
    spool: join(path, "spool"),
    log: join(path, "runner.log"),
  };
}

export async function makeSandboxDir(dir: SandboxDir): Promise<void> {
  for (const path of [dir.path, dir.workspace, dir.home, dir.spool])
    await mkdir(path, { recursive: true, mode: 0o700 });
}

export async function exists(dir: SandboxDir): Promise<boolean> {
  return (await ifThere(stat(dir.path))) !== undefined;
}

export async function sandboxNames(sandboxesDir: string): Promise<string[]> {
  const entries = await readdir(sandboxesDir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && isSandboxName(entry.name))
    .map((entry) => entry.name);
}

/** The runner's lock: who takes it is the one that works, and it stays when the runner ends. */
function lockOf(dir: SandboxDir): string {
  return join(dir.spool, "runner.lock");
}

/** Whether a runner has been at work there. */
export async function hasRun(dir: SandboxDir): Promise<boolean> {
  // Not followed: the sandbox may have put a link there.
  return (await ifThere(lstat(lockOf(dir)))) !== undefined;
}

/** Takes the lock in place of a runner, so that none can begin to work there any more. */
export async function closeForGood(dir: SandboxDir): Promise<void> {
  try {
    await ifThere(writeFile(lockOf(dir), "stopped\n", { flag: "wx" }));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

export async function logTail(dir: SandboxDir): Promise<string> {
  const file = await ifThere(open(dir.log, "r"));
  if (file === undefined) return "";
  await using _closed = file;
  const { size } = await file.stat();
  const length = Math.min(size, LOG_TAIL_BYTES);
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(length),
    0,
    length,
    Math.max(0, size - length),
  );
  const text = buffer.toString("utf8", 0, bytesRead);
  return size > length ? text.slice(text.indexOf("\n") + 1) : text;
}

/** The runner appends to it, so it may be cut under its hands. */
export async function boundLog(dir: SandboxDir): Promise<void> {
  const size = (await ifThere(stat(dir.log)))?.size ?? 0;
  if (size <= LOG_BYTES) return;
  const tail = await logTail(dir);
  await writeFile(dir.log, `… cut from ${size} bytes …\n${tail}`);
}

/** Also when an agent has left directories that even their owner may not change (Go's module cache does). */
export async function removeSandboxDir(dir: SandboxDir): Promise<void> {
  const remove = () =>
    rm(dir.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  try {
    await remove();
  } catch (error) {
    if (codeOf(error) !== "EACCES" && codeOf(error) !== "EPERM") throw error;
    await makeWritable(dir.path);
    await remove();
  }
}

/** A removal that has failed may still be at work on the rest: what is gone needs nothing. */
async function makeWritable(path: string): Promise<void> {
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    await ifThere(chmod(next, 0o700));
    for (const entry of (await ifThere(readdir(next, { withFileTypes: true }))) ?? [])
      if (entry.isDirectory()) waiting.push(join(next, entry.name));
  }
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
