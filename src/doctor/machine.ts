import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { promisify } from "node:util";
import { failure, fine, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";

const NODE_MAJOR = 24;
/** Older ones lack what the git door's mirror is kept with. */
const GIT = { major: 2, minor: 38 };
const GIB = 1_073_741_824;
const LOW_BYTES = 5 * GIB;
const EMPTY_BYTES = GIB;

export function checkNode(version: string): Finding {
  const major = Number.parseInt(version.replace(/^v/, ""), 10);
  return major >= NODE_MAJOR
    ? fine("node", `Node.js ${version}`)
    : failure("node", `Node.js ${version} is too old`, `install Node.js ${NODE_MAJOR} or newer`);
}

export async function checkGit(path: string): Promise<Finding> {
  const mend = "apt install git";
  try {
    const options = { env: { PATH: path }, timeout: 10_000 };
    const { stdout } = await promisify(execFile)("git", ["--version"], options);
    const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    const isNew =
      Number(major) > GIT.major || (Number(major) === GIT.major && Number(minor) >= GIT.minor);
    const found = stdout.trim();
    return isNew ? fine("git", found) : failure("git", `${found} is too old`, mend);
  } catch {
    return failure("git", "git is not installed", mend);
  }
}

/** @param spaceOf Free and all bytes of the file system that holds a directory. */
export async function checkDisk(dir: string, spaceOf = space): Promise<Finding> {
  const { freeBytes, bytes } = await spaceOf(dir);
  const found = `${gib(freeBytes)} of ${gib(bytes)} GiB are free in ${dir}`;
  const mend = `free some space: du -xh --max-depth=2 ${dir} | sort -h | tail`;
  if (freeBytes < EMPTY_BYTES) return failure("disk", found, mend);
  return freeBytes < LOW_BYTES ? warning("disk", found, mend) : fine("disk", found);
}

async function space(dir: string): Promise<{ freeBytes: number; bytes: number }> {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, bytes: blocks * bsize };
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
