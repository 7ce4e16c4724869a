import { lstat, mkdir, readlink, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RuntimeHost } from "../runtime.ts";
import type { Identity } from "./identity.ts";

const SYSTEM_DIRS = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/**
 * What programs read there and what is public: how to find libraries, whom to trust, which time it is. Not the rest: a
 * machine's /etc holds keys, addresses and passwords (git's among them).
 */
const SYSTEM_FILES = [
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/crypto-policies",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/mime.types",
  "/etc/pki/ca-trust",
  "/etc/pki/tls/certs",
  "/etc/pki/tls/cert.pem",
  "/etc/protocols",
  "/etc/services",
  "/etc/ssl/certs",
  "/etc/ssl/cert.pem",
  "/etc/ssl/openssl.cnf",
  "/etc/timezone",
];

/** The parts of bwrap's command line that are the same for all sandboxes of a hub. */
export async function systemArguments(): Promise<string[]> {
  const args = ["--ro-bind", "/usr", "/usr", ...SYSTEM_FILES.flatMap(parentArguments)];
  for (const path of SYSTEM_DIRS) {
    const found = await find(path);
    if (found === "link") args.push("--symlink", await readlink(path), path);
    else if (found === "other") args.push("--ro-bind", path, path);
  }
  for (const path of SYSTEM_FILES) args.push("--ro-bind-try", path, path);
  return args;
}

/** Node.js, the runner and the agents, each where it is outside, so that a path means the same on both sides. */
export async function programArguments(host: RuntimeHost): Promise<string[]> {
  const args: string[] = [];
  const seen = new Set(["/usr"]);
  const isSeen = (path: string) =>
    [...seen].some((dir) => path === dir || path.startsWith(`${dir}/`));
  // Short ones first: what lies in a directory that is bound already needs nothing of its own.
  for (const path of [host.nodePath, host.runnerPath, ...host.agentPaths].toSorted(byLength)) {
    const real = await realpath(path);
    for (const place of [real, path]) {
      if (isSeen(place)) continue;
      seen.add(place);
      args.push(...parentArguments(place));
      if (place !== real && (await find(place)) === "link") args.push("--symlink", real, place);
      else args.push("--ro-bind", real, place);
    }
  }
  return args;
}

/** Makes the directories above a mount so that everybody may pass; bwrap by itself makes some that only root may. */
export function parentArguments(place: string): string[] {
  const steps = place.split("/").slice(1, -1);
  return steps.flatMap((_, index) => [
    "--perms",
    "0755",
    "--dir",
    `/${steps.slice(0, index + 1).join("/")}`,
  ]);
}

/** Users, groups and hosts as the sandbox sees them: itself, and nothing of the machine's. */
export async function accountArguments(
  dir: string,
  name: string,
  { uid, gid }: Identity,
): Promise<string[]> {
  const etc = join(dir, "etc");
  await mkdir(etc, { recursive: true, mode: 0o755 });
  const files = {
    passwd: `root:x:0:0::/nonexistent:/usr/sbin/nologin\nagent:x:${uid}:${gid}::/home/agent:/bin/sh\n`,
    group: `root:x:0:\nagent:x:${gid}:\n`,
    hosts: `127.0.0.1 localhost ${name}\n::1 localhost\n`,
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
  };
  const args: string[] = [];
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(etc, file), text, { mode: 0o644 });
    args.push("--ro-bind", join(etc, file), `/etc/${file}`);
  }
  return args;
}

async function find(path: string): Promise<"link" | "other" | "nothing"> {
  try {
    return (await lstat(path)).isSymbolicLink() ? "link" : "other";
  } catch {
    return "nothing";
  }
}

function byLength(one: string, other: string): number {
  return one.length - other.length;
}
