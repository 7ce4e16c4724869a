import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { Secret } from "../core/secret.ts";
import { writePrivate } from "./private-file.ts";
import { seal, unseal } from "./sealed.ts";
import { SEALING_KEY, SEALING_KEY_EXPECTED } from "./setting.ts";
import { ConfigError } from "./source.ts";

/** Something that lies sealed in the data directory, in a file that has its name. */
export interface SealedFile<T> {
  /** Also goes into the seal: one does not open as another. */
  name: string;
  schema: z.ZodType<T>;
  /** What it should hold, with its article. */
  what: string;
}

/**
 * @param key Null: the one in the data directory.
 * @throws ConfigError when there is one that cannot be read.
 */
export function readSealed<T>(file: SealedFile<T>, dir: string, key: Secret | null): T | null {
  const path = sealedPath(dir, file.name);
  const sealed = readIfThere(path);
  if (sealed === null) return null;
  const opener = keyOf(key?.reveal() ?? readKeyFile(dir, path));
  const text = unseal(opener, file.name, sealed);
  const found = text === null ? null : file.schema.safeParse(JSON.parse(text));
  if (found?.success === true) return found.data;
  const why = found === null ? "does not open with the key" : `does not hold ${file.what}`;
  throw new ConfigError(
    `${path} ${why}; set CLAUDE_HUB_KEY as it was, or delete the file and run: claude-hub github setup`,
  );
}

/** Seals it, in the place of the one before; the key is made when there is none. Answers where it lies. */
export async function keepSealed<T>(
  { name }: SealedFile<T>,
  dir: string,
  key: Secret | null,
  value: T,
): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const keyPath = join(dir, "key");
  if (key === null && readIfThere(keyPath) === null)
    await writePrivate(keyPath, `${randomBytes(32).toString("base64")}\n`);
  const path = sealedPath(dir, name);
  const sealed = seal(keyOf(key?.reveal() ?? readKeyFile(dir, path)), name, JSON.stringify(value));
  await writePrivate(path, sealed);
  return path;
}

export async function dropSealed<T>({ name }: SealedFile<T>, dir: string): Promise<void> {
  await rm(sealedPath(dir, name), { force: true });
}

function sealedPath(dir: string, name: string): string {
  return join(dir, `${name}.sealed`);
}

function keyOf(text: string): Buffer {
  return Buffer.from(text, "base64");
}

function readKeyFile(dir: string, sealed: string): string {
  const path = join(dir, "key");
  const text = readIfThere(path)?.trim();
  if (text === undefined)
    throw new ConfigError(`${path} is missing, and without it ${sealed} cannot be read.`);
  if ((statSync(path).mode & 0o077) !== 0)
    throw new ConfigError(`${path} can be read by others; it must have mode 0600.`);
  if (!SEALING_KEY.test(text)) throw new ConfigError(`${path} must hold ${SEALING_KEY_EXPECTED}.`);
  return text;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    if (code === "ENOENT") return null;
    throw new ConfigError(`${path} must be a file that the hub can read (${code}).`);
  }
}
