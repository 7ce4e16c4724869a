import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  access,
  chown,
  lchown,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { refusal } from "./binaries.ts";
import type { Binaries } from "./binaries.ts";
import { hasCode } from "../failure.ts";
import { readOrMake } from "../data-dir/kept-file.ts";

/** Where a server keeps what it keeps. */
export interface Cluster {
  data: string;
  socketDir: string;
  log: string;
  password: string;
}

export const SERVER_USER = "claude_hub";
/** sockaddr_un holds 104 bytes on macOS; the server adds its file's name. */
const MAX_SOCKET_DIR_BYTES = 85;

/** Makes what a server needs in `dir`, as far as it is not there. */
export async function prepareCluster(binaries: Binaries, dir: string): Promise<Cluster> {
  if (binaries.owner !== null) await chown(dir, binaries.owner.uid, binaries.owner.gid);
  const cluster: Cluster = {
    data: join(dir, "data"),
    socketDir: Buffer.byteLength(dir) <= MAX_SOCKET_DIR_BYTES ? dir : await shortDir(binaries, dir),
    log: join(dir, "server.log"),
    password: await readOrMake(join(dir, "password"), () => randomBytes(24).toString("hex")),
  };
  await initialise(binaries, dir, cluster);
  return cluster;
}

/** A directory for the socket below a shorter path. Others may write there, so nothing is taken on trust. */
async function shortDir(binaries: Binaries, dir: string): Promise<string> {
  const name = createHash("sha256").update(dir).digest("hex").slice(0, 16);
  const path = join(tmpdir(), `claude-hub-${name}`);
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasCode(error, "EEXIST")) throw error;
  });
  const found = await lstat(path);
  const owners = [process.getuid?.(), binaries.owner?.uid];
  if (!found.isDirectory() || !owners.includes(found.uid) || (found.mode & 0o077) !== 0)
    throw new Error(`${path}, for the database's socket, is not the hub's own directory`);
  // Not chown: that would follow a link put in its place meanwhile.
  if (binaries.owner !== null) await lchown(path, binaries.owner.uid, binaries.owner.gid);
  return path;
}

/** Makes the cluster under another name first, so that a kill in the middle leaves nothing that looks finished. */
async function initialise(binaries: Binaries, dir: string, cluster: Cluster): Promise<void> {
  await removeDrafts(dir);
  if (await exists(join(cluster.data, "PG_VERSION"))) return;
  const draft = join(dir, `draft.${randomBytes(8).toString("hex")}`);
  const passwordFile = `${draft}.password`;
  await writeFile(passwordFile, `${cluster.password}\n`, { mode: 0o600, flag: "wx" });
  if (binaries.owner !== null) await chown(passwordFile, binaries.owner.uid, binaries.owner.gid);
  const [command, ...args] = [
    ...binaries.prefix,
    binaries.initdb,
    `--pgdata=${draft}`,
    `--username=${SERVER_USER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
  ];
  try {
    await promisify(execFile)(command, args, { env: binaries.env, cwd: "/" });
  } catch (error) {
    throw (
      (await refusal(binaries)) ??
      new Error(`the embedded database could not be initialised (${wordsOf(error)})`, {
        cause: error,
      })
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, cluster.data);
}

/** What initdb said, in a line. */
function wordsOf(error: unknown): string {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  return said.trim().replaceAll(/\s+/g, " ").slice(0, 300);
}

/**
 * Deletes what hubs have left that were killed in the middle. Their initdb may be at work even now: that is why no
 * name is used twice, and what cannot be deleted yet is left to the next start.
 */
async function removeDrafts(dir: string): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name.startsWith("draft."));
  for (const name of names)
    await rm(join(dir, name), { recursive: true, force: true }).catch((error: unknown) => {
      if (!hasCode(error, "ENOTEMPTY", "EBUSY")) throw error;
    });
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
