import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { ConfigError } from "./source.ts";
import { readOrMakeWebhookSecret } from "./webhook-secret.ts";

test("it is made once, for the owner alone", async () => {
  await using temp = await createTempDir("webhook-secret");
  const first = await readOrMakeWebhookSecret(temp.path);
  expect(first).toMatchObject({ path: join(temp.path, "webhook-secret"), made: true });
  expect(first.secret.reveal()).toMatch(/^[\w-]{43}$/);
  expect((await stat(first.path)).mode & 0o777).toBe(0o600);
  expect(await readFile(first.path, "utf8")).toBe(`${first.secret.reveal()}\n`);
  const second = await readOrMakeWebhookSecret(temp.path);
  expect(second.made).toBe(false);
  expect(second.secret.reveal()).toBe(first.secret.reveal());
});

test("many that start at once agree on one, and leave no drafts", async () => {
  await using temp = await createTempDir("webhook-secret");
  const all = await Promise.all(
    Array.from({ length: 20 }, () => readOrMakeWebhookSecret(temp.path)),
  );
  expect(new Set(all.map(({ secret }) => secret.reveal())).size).toBe(1);
  expect(all.filter(({ made }) => made)).toHaveLength(1);
  expect(await readdir(temp.path)).toEqual(["webhook-secret"]);
});

test.each([0o640, 0o604, 0o620])("a file of mode %o is refused", async (mode) => {
  await using temp = await createTempDir("webhook-secret");
  const { path, secret } = await readOrMakeWebhookSecret(temp.path);
  await chmod(path, mode);
  const error: unknown = await readOrMakeWebhookSecret(temp.path).catch(
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new Error("the file was accepted");
  expect(error.message).toContain(`${path} can be read by others`);
  expect(error.message).not.toContain(secret.reveal());
});

test.each(["", "\n", "short", "hunter22 hunter22"])(
  "a file that holds %j is refused without showing it",
  async (content) => {
    await using temp = await createTempDir("webhook-secret");
    const path = join(temp.path, "webhook-secret");
    await writeFile(path, content, { mode: 0o600 });
    const error: unknown = await readOrMakeWebhookSecret(temp.path).catch(
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof ConfigError)) throw new Error("the file was accepted");
    expect(error.message).toMatch(/must hold at least 8 visible/);
    expect(error.message).not.toMatch(/hunter|short/);
  },
);
