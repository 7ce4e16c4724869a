import { chmod, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { Secret } from "../core/secret.ts";
import { loadConfig } from "./config.ts";
import { keepApp, keepToken, readKeptApp } from "./kept-app.ts";
import type { KeptApp } from "./kept-app.ts";
import { seal, unseal } from "./sealed.ts";
import { ConfigError } from "./source.ts";

const app: KeptApp = {
  appId: 7,
  slug: "our-bot",
  clientId: "Iv23",
  clientSecret: "client-secret-of-the-test",
  privateKey: "-----BEGIN RSA PRIVATE KEY-----\nkey-of-the-test\n-----END RSA PRIVATE KEY-----\n",
  webhookSecret: "webhook-secret-of-the-test",
  serverUrl: "https://git.example.com",
  apiUrl: "https://git.example.com/api/v3",
};
const key = new Secret(`${"k".repeat(43)}=`);

test("a kept App is read where nothing else says otherwise", async () => {
  await using temp = await createTempDir("kept");
  const path = await keepApp(temp.path, null, app);
  const load = (env: Record<string, string> = {}) =>
    loadConfig({ env: { CLAUDE_HUB_DIR: temp.path, ...env } });
  const { github, secrets } = load();
  expect(github).toMatchObject({
    appId: 7,
    botUsername: "our-bot",
    serverUrl: app.serverUrl,
    apiUrl: app.apiUrl,
  });
  expect(secrets.githubAppKey?.reveal()).toBe(app.privateKey.trim());
  expect(secrets.githubWebhook?.reveal()).toBe(app.webhookSecret);
  const env = { BOT_USERNAME: "other", GITHUB_WEBHOOK_SECRET: "another-secret" };
  expect(load(env).github).toMatchObject({ appId: 7, botUsername: "other" });
  expect(load(env).secrets.githubWebhook?.reveal()).toBe("another-secret");
  // Of another App nothing fits.
  const named = load({ GITHUB_APP_ID: "8" });
  expect(named.github).toMatchObject({ appId: 8, botUsername: null });
  expect(named.secrets).toMatchObject({ githubAppKey: null, githubWebhook: null });
  // Neither of the two files alone tells a secret.
  const kept = await readFile(path, "utf8");
  for (const secret of [app.clientSecret, app.webhookSecret, "key-of-the-test", "our-bot"])
    expect(kept).not.toContain(secret);
});

test("a kept token is read where no other account is named, and takes the place of an App", async () => {
  await using temp = await createTempDir("kept");
  await keepApp(temp.path, null, app);
  const { webhookSecret, serverUrl, apiUrl } = app;
  const token = "token-of-the-test";
  const account = { token, login: "robot", webhookSecret, serverUrl, apiUrl };
  const hookUrl = "https://hub.example/api/webhooks/github";
  const path = await keepToken(temp.path, null, { ...account, hookUrl, repositories: [] });
  const load = (env: Record<string, string> = {}) =>
    loadConfig({ env: { CLAUDE_HUB_DIR: temp.path, ...env } });
  expect(load().github).toMatchObject({ appId: null, botUsername: "robot", apiUrl });
  expect(load().secrets.githubToken?.reveal()).toBe(token);
  for (const env of [{ GITHUB_TOKEN: "another-token-of-the-test" }, { GITHUB_APP_ID: "8" }]) {
    expect(load(env).github.botUsername).toBeNull();
    expect(load(env).secrets.githubToken?.reveal()).not.toBe(token);
    expect(load(env).secrets.githubWebhook).toBeNull();
  }
  expect(await readFile(path, "utf8")).not.toContain(token);
  expect(readKeptApp(temp.path, null)).toBeNull();
  await keepApp(temp.path, null, app);
  expect(load().secrets.githubToken).toBeNull();
});

test("its files are the owner's alone, and a second one takes the place of the first", async () => {
  await using temp = await createTempDir("kept");
  await keepApp(temp.path, null, app);
  await keepApp(temp.path, null, { ...app, appId: 8 });
  expect(readKeptApp(temp.path, null)).toMatchObject({ appId: 8 });
  const files = (await readdir(temp.path)).toSorted();
  expect(files).toEqual(["github-app.sealed", "key"]);
  for (const file of files) expect((await stat(join(temp.path, file))).mode & 0o777).toBe(0o600);
});

test("with a key of the operator's own there is none in the directory", async () => {
  await using temp = await createTempDir("kept");
  await keepApp(temp.path, key, app);
  expect(await readdir(temp.path)).toEqual(["github-app.sealed"]);
  expect(readKeptApp(temp.path, key)).toEqual(app);
  expect(() => readKeptApp(temp.path, null)).toThrow("key is missing");
  const other = new Secret(`${"o".repeat(43)}=`);
  expect(() => readKeptApp(temp.path, other)).toThrow(ConfigError);
  expect(() => readKeptApp(temp.path, other)).toThrow("does not open with the key");
});

test("a key that others can read, or that is none, is refused", async () => {
  await using temp = await createTempDir("kept");
  await keepApp(temp.path, null, app);
  const path = join(temp.path, "key");
  await chmod(path, 0o644);
  expect(() => readKeptApp(temp.path, null)).toThrow("must have mode 0600");
  await chmod(path, 0o600);
  await writeFile(path, "short");
  expect(() => readKeptApp(temp.path, null)).toThrow("must hold 32 bytes in base64");
  await rm(join(temp.path, "github-app.sealed"));
  expect(readKeptApp(temp.path, null)).toBeNull();
});

test("what was changed, or was sealed as something else, does not open", () => {
  const bytes = Buffer.alloc(32, 1);
  const sealed = seal(bytes, "one", "text");
  expect(unseal(bytes, "one", sealed)).toBe("text");
  expect(unseal(bytes, "other", sealed)).toBeNull();
  expect(unseal(Buffer.alloc(32, 2), "one", sealed)).toBeNull();
  const { data, ...rest }: { data: string } = JSON.parse(sealed);
  const changed = Buffer.from(data, "base64");
  changed[0] = (changed[0] ?? 0) ^ 1;
  const again = JSON.stringify({ ...rest, data: changed.toString("base64") });
  expect(unseal(bytes, "one", again)).toBeNull();
  expect(unseal(bytes, "one", "no JSON")).toBeNull();
  expect(seal(bytes, "one", "text")).not.toBe(sealed);
});
