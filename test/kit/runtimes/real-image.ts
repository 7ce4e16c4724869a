import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { TestEngine } from "./engine.ts";

const ROOT = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const BUILD_MS = 900_000;
const INPUTS = ["images/session/Dockerfile", "scripts/base-image.sh", "scripts/image.ts"];
/** What the image has of `package.json`. */
const Versions = z.object({
  devDependencies: z.object({ node: z.string(), "@anthropic-ai/claude-code": z.string() }),
});
export const REAL_IMAGE = "claudecode:latest";

/** The image as users build it, from Debian's packages and npm's; kept for the next run of the tests. */
export async function provideRealImage({ address }: TestEngine): Promise<void> {
  const engine = ["docker", "--host", address];
  const archive = await archivePath();
  const docker = async (...args: string[]) => await run("docker", ["--host", address, ...args]);
  if (existsSync(archive)) {
    await docker("load", "--quiet", "--input", archive);
    return;
  }
  const options = { cwd: ROOT, timeout: BUILD_MS, maxBuffer: 64 * 1_048_576 };
  // Ahead of the build, which would ask a registry for it first.
  await run(join(ROOT, "scripts/base-image.sh"), engine, options);
  const script = join(ROOT, "scripts/image.ts");
  await run(process.execPath, [script, "--engine", "docker", "--host", address], options);
  // Whole under its name, or not at all.
  await rm(`${archive}.draft`, { force: true });
  await docker("save", "--output", `${archive}.draft`, REAL_IMAGE);
  await rename(`${archive}.draft`, archive);
  // Of what was built of other inputs nobody has any more use.
  const dir = dirname(archive);
  for (const name of await readdir(dir))
    if (name.startsWith("session-image-") && join(dir, name) !== archive) await rm(join(dir, name));
}

async function archivePath(): Promise<string> {
  const hash = createHash("sha256");
  for (const path of INPUTS) hash.update(await readFile(join(ROOT, path)));
  const versions = Versions.parse(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")));
  hash.update(JSON.stringify(versions));
  const dir = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "claude-hub");
  await mkdir(dir, { recursive: true });
  return join(dir, `session-image-${hash.digest("hex").slice(0, 16)}.tar`);
}
