import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "..");
const BASE = "debian:bookworm-slim";
const NPM_VERSION = "11.19.1";
const MACHINES: Record<string, string> = { amd64: "x64" };

const USAGE = `usage: npm run image -- [options]
  --engine NAME     docker or podman; the first that answers, unless named
  --host ADDRESS    the engine's socket, as DOCKER_HOST has it
  --hub             the hub's image, in place of the one for sessions
  --tag NAME        more names for the image (may be repeated)
  --ca FILE         certificates of a company's proxy, for the build alone; unless named,
                    NODE_EXTRA_CA_CERTS or npm's own cafile
`;

const Package = z.object({
  version: z.string(),
  devDependencies: z.object({ node: z.string(), "@anthropic-ai/claude-code": z.string() }),
});

const { values } = parseArgs({
  options: {
    engine: { type: "string" },
    host: { type: "string" },
    tag: { type: "string", multiple: true, default: [] },
    ca: { type: "string" },
    hub: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(USAGE);
else await build();

async function build(): Promise<void> {
  const [program, ...options] = await findEngine();
  await provideBase(program, options);
  const { version, devDependencies } = Package.parse(
    JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")),
  );
  const names = values.hub
    ? [`claude-hub:${version}`, "claude-hub:latest"]
    : [`claude-hub-session:${version}`, "claudecode:latest"];
  const tags = [...names, ...values.tag];
  const context = await mkdtemp(join(tmpdir(), "claude-hub-image-"));
  try {
    const dockerfile = `images/${values.hub ? "hub" : "session"}/Dockerfile`;
    await copyFile(join(ROOT, dockerfile), join(context, "Dockerfile"));
    if (values.hub) await provideHub(context);
    const ca = values.ca ?? process.env["NODE_EXTRA_CA_CERTS"] ?? (await npmCertificates());
    await writeFile(join(context, "extra-ca.crt"), ca === undefined ? "" : await readFile(ca));
    const machine = await machineOf(program, options);
    await pack(`node-linux-${machine}@${devDependencies.node}`, join(context, "node.tgz"), ca);
    await pack(`npm@${NPM_VERSION}`, join(context, "npm.tgz"), ca);
    const agent = devDependencies["@anthropic-ai/claude-code"];
    await run(program, [
      ...options,
      "build",
      // The engine may have no network of its own for builds.
      "--network=host",
      ...(values.hub ? [] : ["--build-arg", `CLAUDE_CODE_VERSION=${agent}`]),
      ...tags.flatMap((tag) => ["--tag", tag]),
      context,
    ]);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  process.stdout.write(`made ${tags.join(", ")}\n`);
}

/** What npm on this machine trusts beyond the usual; undefined: nothing. */
async function npmCertificates(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)("npm", ["config", "get", "cafile"], { cwd: ROOT });
  const path = stdout.trim();
  return path === "" || path === "null" ? undefined : path;
}

/** For which machines an image is, as npm names them. */
async function machineOf(program: string, options: string[]): Promise<string> {
  const asking = [...options, "image", "inspect", "--format", "{{.Architecture}}", BASE];
  const { stdout } = await promisify(execFile)(program, asking);
  return MACHINES[stdout.trim()] ?? stdout.trim();
}

/**
 * Has this machine's npm get a package as it is. Debian's npm, which could do it inside, comes in four hundred packages:
 * installing them took as long as all the rest.
 */
async function pack(wanted: string, path: string, ca: string | undefined): Promise<void> {
  const certificates = ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca };
  const args = ["pack", "--silent", "--pack-destination", dirname(path), wanted];
  const env = { ...process.env, ...certificates };
  const { stdout } = await promisify(execFile)("npm", args, { cwd: ROOT, env });
  await rename(join(dirname(path), stdout.trim()), path);
}

/** The hub itself, compiled here; what it depends on is installed inside. */
async function provideHub(context: string): Promise<void> {
  await run("npm", ["run", "build", "--silent"]);
  for (const name of ["dist", "package.json", "package-lock.json"])
    await cp(join(ROOT, name), join(context, name), { recursive: true });
}

/** The program and the options that lead to an engine that answers. */
async function findEngine(): Promise<[string, ...string[]]> {
  const programs = values.engine === undefined ? ["docker", "podman"] : [values.engine];
  const reasons: string[] = [];
  for (const program of programs) {
    const flag = program === "podman" ? "--url" : "--host";
    const options = values.host === undefined ? [] : [flag, values.host];
    try {
      await promisify(execFile)(program, [...options, "version"]);
      return [program, ...options];
    } catch (error) {
      reasons.push(`${program}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`no container engine answers (${reasons.join("; ")})`);
}

/** From a registry where one can be reached, else from Debian's packages. */
async function provideBase(program: string, options: string[]): Promise<void> {
  const engine = promisify(execFile);
  const isThere = await engine(program, [...options, "image", "inspect", BASE]).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  process.stdout.write(`pulling ${BASE}\n`);
  try {
    await engine(program, [...options, "pull", BASE], { timeout: 120_000 });
  } catch (error) {
    process.stdout.write(`${reasonOf(error)}\nmaking ${BASE} from Debian's packages\n`);
    await run(join(ROOT, "scripts/base-image.sh"), [program, ...options]);
  }
}

async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    // There is no BuildKit with Debian's engine; the file is written for both.
    env: { ...process.env, DOCKER_BUILDKIT: "0" },
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "ENOENT") return "is not installed";
  const said = "stderr" in error ? String(error.stderr).trim() : "";
  return (said === "" ? error.message : said).split("\n").at(-1) ?? "";
}
