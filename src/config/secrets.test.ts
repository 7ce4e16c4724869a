import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { assert, property, stringMatching } from "fast-check";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { loadConfig } from "./config.ts";
import type { Variables } from "./environment.ts";
import { SETTINGS } from "./settings.ts";
import { ConfigError } from "./source.ts";

const HOME = "/nonexistent/home";

function load(env: Variables) {
  return loadConfig({ env, homeDir: HOME });
}

/** The sentence with which a start is refused. */
function refusal(env: Variables): string {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

const SECRETS = Object.values(SETTINGS).filter((setting) => setting.secret);
const PROPER: Record<string, string> = {
  DATABASE_URL: "postgres://ada:pw-of-the-test@db/hub",
  GITHUB_APP_PRIVATE_KEY: "-----BEGIN RSA PRIVATE KEY-----of the test",
  CLAUDE_HUB_KEY: `${"k".repeat(43)}=`,
  CLAUDE_HUB_NOTIFY_SECRET: `whsec_${"n".repeat(43)}=`,
  CLAUDE_HUB_NOTIFY_SECRET_PREVIOUS: `whsec_${"p".repeat(43)}=`,
};
/** Of those that have a form of their own. */
const OTHER: Record<string, string> = {
  CLAUDE_HUB_KEY: `${"o".repeat(43)}=`,
  CLAUDE_HUB_NOTIFY_SECRET: `whsec_${"o".repeat(43)}=`,
  CLAUDE_HUB_NOTIFY_SECRET_PREVIOUS: `whsec_${"q".repeat(43)}=`,
};

test("the secrets are these", () => {
  expect(SECRETS.map(({ variable }) => variable).toSorted()).toEqual([
    "ANTHROPIC_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_HUB_KEY",
    "CLAUDE_HUB_NOTIFY_SECRET",
    "CLAUDE_HUB_NOTIFY_SECRET_PREVIOUS",
    "CLAUDE_WEBHOOK_SECRET",
    "DATABASE_URL",
    "GITHUB_APP_PRIVATE_KEY",
    "GITHUB_TOKEN",
    "GITHUB_WEBHOOK_SECRET",
    "GITHUB_WEBHOOK_SECRET_PREVIOUS",
  ]);
});

function revealed({
  secrets,
  database,
}: ReturnType<typeof load>): Record<string, string | undefined> {
  return {
    DATABASE_URL: database.url?.reveal(),
    CLAUDE_WEBHOOK_SECRET: secrets.webhook?.reveal(),
    GITHUB_WEBHOOK_SECRET: secrets.githubWebhook?.reveal(),
    GITHUB_WEBHOOK_SECRET_PREVIOUS: secrets.githubPreviousWebhook?.reveal(),
    GITHUB_APP_PRIVATE_KEY: secrets.githubAppKey?.reveal(),
    GITHUB_TOKEN: secrets.githubToken?.reveal(),
    CLAUDE_HUB_KEY: secrets.key?.reveal(),
    CLAUDE_HUB_NOTIFY_SECRET: secrets.notify?.reveal(),
    CLAUDE_HUB_NOTIFY_SECRET_PREVIOUS: secrets.notifyPrevious?.reveal(),
    ANTHROPIC_API_KEY: secrets.anthropicApiKey?.reveal(),
    CLAUDE_CODE_OAUTH_TOKEN: secrets.oauthToken?.reveal(),
    AWS_ACCESS_KEY_ID: secrets.awsAccessKeyId?.reveal(),
    AWS_SECRET_ACCESS_KEY: secrets.awsSecretAccessKey?.reveal(),
    AWS_SESSION_TOKEN: secrets.awsSessionToken?.reveal(),
    AWS_BEARER_TOKEN_BEDROCK: secrets.awsBearerToken?.reveal(),
  };
}

test.each(SECRETS)(
  "$variable can come from a file, which wins in its layer",
  async ({ variable }) => {
    await using temp = await createTempDir("config");
    const proper = PROPER[variable] ?? "proper-secret";
    const other = OTHER[variable] ?? `${proper}-2`;
    const path = join(temp.path, "secret");
    await writeFile(path, `${proper}\r\n`);
    const read = (env: Variables) =>
      revealed(load({ CLAUDE_HUB_DIR: temp.path, ...env }))[variable];
    expect(read({})).toBeUndefined();
    expect(read({ [variable]: other })).toBe(other);
    expect(read({ [variable]: other, [`${variable}_FILE`]: path })).toBe(proper);
    await writeFile(join(temp.path, "hub.env"), `${variable}_FILE=${path}\n`);
    expect(read({})).toBe(proper);
    // What the environment says is stronger, however hub.env says it.
    expect(read({ [variable]: other })).toBe(other);
  },
);

test.each(SECRETS)("a wrong file of $variable is named by its path", async ({ variable }) => {
  await using temp = await createTempDir("config");
  const path = join(temp.path, "secret");
  const name = `${variable}_FILE`;
  expect(refusal({ [name]: path })).toBe(
    `${name} is ${JSON.stringify(path)} but must be a file that the hub can read (ENOENT).`,
  );
  expect(refusal({ [name]: temp.path })).toContain("(EISDIR)");
  await writeFile(path, " \n");
  expect(refusal({ [name]: path })).toMatch(/what that file holds does not fit: it must be/);
});

test.each([
  ["DATABASE_URL", "mysql://ada:hunter22@db/hub"],
  ["CLAUDE_WEBHOOK_SECRET", "hunter2"],
  ["CLAUDE_WEBHOOK_SECRET", "hunter22 hunter22"],
  ["GITHUB_TOKEN", "hunter22\nhunter22"],
  ["ANTHROPIC_API_KEY", "hünter22-hunter22"],
])("the refusal of a wrong %s shows nothing of it", async (variable, value) => {
  await using temp = await createTempDir("config");
  const path = join(temp.path, "file");
  await writeFile(path, value);
  await chmod(path, 0o600);
  const shown = refusal({ [variable]: value });
  expect(shown).toMatch(
    new RegExp(`^${variable} is a secret that does not fit: it must be .*\\.$`),
  );
  expect(shown).not.toMatch(/h[uü]nter/);
  const fromFile = refusal({ [`${variable}_FILE`]: path });
  expect(fromFile).toContain(path);
  expect(fromFile).not.toMatch(/h[uü]nter/);
});

test("whatever a secret holds, no print of the configuration shows it", () => {
  // Marked, so that it cannot be found by chance.
  const held = stringMatching(/^[\x21-\x7e]{8,40}$/).map((text) => `zq9!${text}`);
  assert(
    property(held, held, held, held, (webhook, github, token, key) => {
      const config = load({
        CLAUDE_WEBHOOK_SECRET: webhook,
        GITHUB_WEBHOOK_SECRET: github,
        GITHUB_TOKEN: token,
        ANTHROPIC_API_KEY: key,
        DATABASE_URL: `postgres://u:${token}@db/hub`,
      });
      expect(config.secrets.webhook?.reveal()).toBe(webhook);
      for (const print of [
        JSON.stringify(config),
        inspect(config, { depth: null, showHidden: true, getters: true }),
        Object.values(config.secrets).map(String).join(),
        String(config.database.url),
      ])
        expect(print).not.toContain("zq9!");
    }),
    { numRuns: 50 },
  );
});
