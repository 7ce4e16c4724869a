import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Secret } from "../core/secret.ts";
import { writePrivate } from "./private-file.ts";
import { ConfigError } from "./source.ts";

/** What a change of settings writes into the data directory. */
export interface Change {
  /** Settings that are taken out, with their `_FILE` forms, unless they are among the new ones. */
  remove: readonly string[];
  values: Readonly<Record<string, string>>;
  /** Each into a file of its own, which `hub.env` then names. */
  secrets: Readonly<Record<string, Secret>>;
}

const PLAIN = /^[\w.:/@+~-]*$/;

/** A change that is written, but may still be taken back. */
export interface Written {
  undo(): Promise<void>;
  /** Deletes the secrets that it has replaced. */
  settle(): Promise<void>;
}

/** Changes `hub.env` and the files of secrets, for the owner alone; other lines stay as they are. */
export async function changeHubEnv(dir: string, change: Change): Promise<Written> {
  const secretsDir = join(dir, "secrets");
  await mkdir(secretsDir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const path = join(dir, "hub.env");
  const former = await readIfThere(path);
  const written: string[] = [];
  const lines = Object.entries(change.values).map(([name, value]) => `${name}=${quoted(value)}`);
  for (const [name, secret] of Object.entries(change.secrets)) {
    // A name of its own each time: the former one stays good until the change is.
    const file = join(secretsDir, `${name.toLowerCase()}-${randomBytes(4).toString("hex")}`);
    await writePrivate(file, `${secret.reveal()}\n`);
    written.push(file);
    lines.push(`${name}_FILE=${quoted(file)}`);
  }
  const names = [...change.remove, ...Object.keys(change.values), ...Object.keys(change.secrets)];
  const kept = withoutNames(former ?? "", names);
  await writePrivate(path, `${[...kept, ...lines].join("\n")}\n`);
  return {
    async undo() {
      if (former === null) await rm(path, { force: true });
      else await writePrivate(path, former);
      for (const file of written) await rm(file, { force: true });
    },
    async settle() {
      const replaced = new RegExp(`^(${names.join("|").toLowerCase()})-[0-9a-f]{8}$`);
      for (const entry of await readdir(secretsDir)) {
        const file = join(secretsDir, entry);
        if (replaced.test(entry) && !written.includes(file)) await rm(file, { force: true });
      }
    },
  };
}

function withoutNames(text: string, names: readonly string[]): string[] {
  const dropped = new Set(names.flatMap((name) => [name, `${name}_FILE`]));
  const lines = text.split("\n").filter((line) => {
    const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1];
    return name === undefined || !dropped.has(name);
  });
  while (lines.at(-1)?.trim() === "") lines.pop();
  return lines;
}

function quoted(value: string): string {
  if (PLAIN.test(value)) return value;
  const quote = ['"', "'", "`"].find((one) => !value.includes(one));
  if (quote === undefined || value.includes("\n"))
    throw new ConfigError(`${JSON.stringify(value)} cannot be written into hub.env.`);
  return `${quote}${value}${quote}`;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
