import { randomBytes } from "node:crypto";
import { link, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Secret } from "../core/secret.ts";
import { BEARER_TOKEN, BEARER_TOKEN_EXPECTED } from "./setting.ts";
import { ConfigError } from "./source.ts";

/**
 * The bearer token of an installation that names none: made once, kept in the data directory for the owner alone.
 * Two hubs that start at once agree on one.
 */
export async function readOrMakeWebhookSecret(
  dir: string,
): Promise<{ secret: Secret; path: string; made: boolean }> {
  const path = join(dir, "webhook-secret");
  const made = !(await exists(path)) && (await makeFile(path));
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new ConfigError(`${path} can be read by others; it must have mode 0600.`);
  const value = (await readFile(path, "utf8")).trim();
  if (!BEARER_TOKEN.test(value))
    throw new ConfigError(
      `${path} must hold ${BEARER_TOKEN_EXPECTED}; delete it, and the hub makes a new one.`,
    );
  return { secret: new Secret(value), path, made };
}

/** Written whole under another name first: nobody ever reads half a secret. */
async function makeFile(path: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
      throw error;
    },
  );
}
