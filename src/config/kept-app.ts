import { z } from "zod";
import type { Secret } from "../core/secret.ts";
import type { Variables } from "./environment.ts";
import { dropSealed, keepSealed, readSealed } from "./sealed-file.ts";
import type { SealedFile } from "./sealed-file.ts";
import { SETTINGS } from "./settings.ts";
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

/** A person's token that the hub was given where there is no App, kept in the same way. */
export const KeptToken = z.object({
  token: z.string().min(1),
  login: z.string().min(1),
  webhookSecret: z.string(),
  /** Where webhooks go, and of which repositories they are known. */
  hookUrl: z.url(),
  repositories: z.array(z.string()),
  serverUrl: z.url(),
  apiUrl: z.url(),
});
export type KeptToken = z.infer<typeof KeptToken>;

const APP: SealedFile<KeptApp> = { name: "github-app", schema: KeptApp, what: "an App" };
const TOKEN: SealedFile<KeptToken> = {
  name: "github-token",
  schema: KeptToken,
  what: "a token",
};

/** What is kept says of settings; nothing of it counts when another account is named in a stronger place. */
export function keptSettings(stronger: Source, dir: string): Variables {
  const key = stronger.secret(SETTINGS.key);
  const named = stronger.optional(SETTINGS.githubAppId);
  const app = readKeptApp(dir, key);
  if (app !== null)
    return named !== null && named !== app.appId
      ? {}
      : {
          [SETTINGS.githubAppId.variable]: String(app.appId),
          [SETTINGS.githubAppKey.variable]: app.privateKey,
          ...accountOf(app, app.slug),
        };
  const kept = readKeptToken(dir, key);
  if (kept === null || named !== null || stronger.secret(SETTINGS.githubToken) !== null) return {};
  return { [SETTINGS.githubToken.variable]: kept.token, ...accountOf(kept, kept.login) };
}

function accountOf(
  { webhookSecret, serverUrl, apiUrl }: KeptApp | KeptToken,
  name: string,
): Variables {
  return {
    [SETTINGS.githubWebhookSecret.variable]: webhookSecret,
    [SETTINGS.githubServerUrl.variable]: serverUrl,
    [SETTINGS.githubApiUrl.variable]: apiUrl,
    [SETTINGS.botUsername.variable]: name,
  };
}

/** @throws ConfigError when there is one that cannot be read. */
export function readKeptApp(dir: string, key: Secret | null): KeptApp | null {
  return readSealed(APP, dir, key);
}

/** @throws ConfigError when there is one that cannot be read. */
export function readKeptToken(dir: string, key: Secret | null): KeptToken | null {
  return readSealed(TOKEN, dir, key);
}

/** Keeps an App, in the place of whatever account was kept before. Answers where it lies. */
export async function keepApp(dir: string, key: Secret | null, app: KeptApp): Promise<string> {
  const path = await keepSealed(APP, dir, key, app);
  await dropSealed(TOKEN, dir);
  return path;
}

/** Keeps a token, in the place of whatever account was kept before. Answers where it lies. */
export async function keepToken(dir: string, key: Secret | null, kept: KeptToken): Promise<string> {
  const path = await keepSealed(TOKEN, dir, key, kept);
  await dropSealed(APP, dir);
  return path;
}
