import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Secret } from "../core/secret.ts";
import type { Variables } from "./environment.ts";
import { writePrivate } from "./private-file.ts";
import { seal, unseal } from "./sealed.ts";
import { SEALING_KEY, SEALING_KEY_EXPECTED } from "./setting.ts";
import { SETTINGS } from "./settings.ts";
import { ConfigError } from "./source.ts";
import type { Source } from "./source.ts";

/** A GitHub App that the hub has made for itself, as it lies sealed in the data directory. */
export const KeptApp = z.object({
  appId: z.int().positive(),
  slug: z.string().min(1),
  clientId: z.string(),
  clientSecret: z.string(),
  privateKey: z.string(),
  webhookSecret: z.string(),
  serverUrl: z.url(),
  apiUrl: z.url(),
});
export type KeptApp = z.infer<typeof KeptApp>;

const NAME = "github-app";

/** What the kept App says of settings; nothing of it counts when another App is named in a stronger place. */
export function keptSettings(stronger: Source, dir: string): Variables {
  const app = readKeptApp(dir, stronger.secret(SETTINGS.key));
  const named = stronger.optional(SETTINGS.githubAppId);
  if (app === null || (named !== null && named !== app.appId)) return {};
  return {
    [SETTINGS.githubAppId.variable]: String(app.appId),
    [SETTINGS.githubAppKey.variable]: app.privateKey,
    [SETTINGS.githubWebhookSecret.variable]: app.webhookSecret,
    [SETTINGS.githubServerUrl.variable]: app.serverUrl,
    [SETTINGS.githubApiUrl.variable]: app.apiUrl,
    [SETTINGS.botUsername.variable]: app.slug,
  };
}

/**
 * @param key Null: the one in the data directory.
 * @throws ConfigError when there is one that cannot be read.
 */
export function readKeptApp(dir: string, key: Secret | null): KeptApp | null {
  const path = sealedPath(dir);
  const sealed = readIfThere(path);
  if (sealed === null) return null;
  const text = unseal(keyOf(key?.reveal() ?? readKeyFile(dir)), NAME, sealed);
  const app = text === null ? null : KeptApp.safeParse(JSON.parse(text));
  if (app?.success === true) return app.data;
  const why = app === null ? "does not open with the key" : "does not hold an App";
  throw new ConfigError(
    `${path} ${why}; set CLAUDE_HUB_KEY as it was, or delete the file and run: claude-hub github setup`,
  );
}

/** Seals an App, in the place of the one before; the key is made when there is none. Answers where it lies. */
export async function keepApp(dir: string, key: Secret | null, app: KeptApp): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const keyPath = join(dir, "key");
  if (key === null && readIfThere(keyPath) === null)
    await writePrivate(keyPath, `${randomBytes(32).toString("base64")}\n`);
  const sealed = seal(keyOf(key?.reveal() ?? readKeyFile(dir)), NAME, JSON.stringify(app));
  await writePrivate(sealedPath(dir), sealed);
  return sealedPath(dir);
}

function sealedPath(dir: string): string {
  return join(dir, `${NAME}.sealed`);
}

function keyOf(text: string): Buffer {
  return Buffer.from(text, "base64");
}

function readKeyFile(dir: string): string {
  const path = join(dir, "key");
  const text = readIfThere(path)?.trim();
  if (text === undefined)
    throw new ConfigError(`${path} is missing, and without it ${sealedPath(dir)} cannot be read.`);
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
