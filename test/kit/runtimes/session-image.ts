import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, cp, mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import type Docker from "dockerode";
import { claudeCodePath } from "../agent/claude-code.ts";
import { createTempDir } from "../temp-dir.ts";

const run = promisify(execFile);

/** What sessions in tests call, from the machine's own system. */
const PROGRAMS = [
  "awk base64 bash cat chmod cp cut date dd df du echo env false find git grep head id kill ln ls",
  "mkdir mktemp mount mv printf ps pwd readlink rm sed seq setpriv setsid sh sleep sort stat tail",
  "tar tee test touch tr true uname wc which xargs",
].flatMap((line) => line.split(" "));
const GIT_PROGRAMS = ["git", "git-remote-http", "git-remote-https", "git-sh-setup"];
const LINKS = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64" };
const ACCOUNTS = {
  passwd: "root:x:0:0::/root:/usr/sbin/nologin\nagent:x:1000:1000::/sandbox/home:/bin/sh\n",
  group: "root:x:0:\nagent:x:1000:\n",
};

export const SESSION_IMAGE = "claude-hub-session:test";

/** Sees to it that the engine has the image that sessions run in. */
export async function sessionImage(engine: Docker): Promise<void> {
  await packSystem(async (tar) => {
    const options = { fromSrc: "-", repo: SESSION_IMAGE, changes: ["USER agent"] };
    const answer = await text(await engine.importImage(tar, options));
    if (answer.includes('"error"')) throw new Error(`the image could not be made: ${answer}`);
  });
}

/**
 * The smallest system in which a session can run, as a tar stream: this machine's shell, git and Node.js with the
 * libraries that they need. Nothing is fetched.
 */
async function packSystem(take: (tar: Readable) => Promise<void>): Promise<void> {
  await using temp = await createTempDir("image");
  const root = join(temp.path, "root");
  for (const dir of ["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "root"])
    await mkdir(join(root, dir), { recursive: true, mode: 0o755 });
  for (const dir of ["tmp", "var/tmp"]) {
    await mkdir(join(root, dir), { recursive: true });
    await chmod(join(root, dir), 0o1777);
  }
  for (const [name, target] of Object.entries(LINKS)) await symlink(target, join(root, name));
  for (const [name, rows] of Object.entries(ACCOUNTS))
    await writeFile(join(root, "etc", name), rows);
  await writeFile(join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");

  const core = (await run("git", ["--exec-path"])).stdout.trim();
  const templates = "/usr/share/git-core/templates";
  await cp(templates, join(root, templates), { recursive: true });
  const programs = [
    ...(await Promise.all(PROGRAMS.map(whichOf))),
    ...GIT_PROGRAMS.map((name) => join(core, name)),
  ].filter((path) => path !== null);
  const files = new Map(programs.map((path) => [path, path]));
  files.set("/usr/bin/node", process.execPath);
  for (const path of await librariesOf([...files.values(), claudeCodePath])) files.set(path, path);
  for (const [inside, outside] of files) {
    const target = join(root, inside.replace(/^\/(bin|sbin|lib|lib64)\//, "/usr/$1/"));
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await copyFile(await realpath(outside), target);
    await chmod(target, 0o755);
  }

  const tar = spawn("tar", ["-C", root, "--owner=0", "--group=0", "-c", "."], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(tar, "exit");
  await take(tar.stdout);
  await ended;
}

/** Null: it is not on this machine, and a test that needs it will say so. */
async function whichOf(program: string): Promise<string | null> {
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" };
  const { stdout } = await run("/bin/sh", ["-c", 'command -v "$0" || :', program], { env });
  // The shell answers the mere name of what it does itself.
  const path = stdout.trim();
  if (path.startsWith("/")) return path;
  return path === "" ? null : `/usr/bin/${path}`;
}

async function librariesOf(programs: string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const program of programs) {
    // Scripts have no libraries, which ldd tells by failing.
    const { stdout } = await run("ldd", [program]).catch(() => ({ stdout: "" }));
    for (const match of stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g))
      if (match[1] !== undefined) found.add(match[1]);
  }
  return found;
}
