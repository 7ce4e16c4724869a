import { chmod, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { clientEnvironment } from "./client-environment.ts";
import { isProfileName, readProfiles, writeProfiles } from "./profiles.ts";

test("they are for the owner alone; what others can read, or nobody can, is refused", async () => {
  await using temp = await createTempDir("profiles");
  const dir = join(temp.path, "claude-hub");
  expect(await readProfiles(dir)).toEqual({});
  const profiles = { default: { url: "https://hub.test", token: "t" } };
  const path = await writeProfiles(dir, profiles);
  expect(await readProfiles(dir)).toEqual(profiles);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await chmod(path, 0o640);
  await expect(readProfiles(dir)).rejects.toThrow("must have mode 0600");
  for (const text of ["{", "[]", '{"default":{"url":1}}']) {
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, 0o600);
    await expect(readProfiles(dir)).rejects.toThrow("log in again");
  }
  expect(["default", "a.b-c_1"].every(isProfileName)).toBe(true);
  expect(["", "__proto__", "a b", "a/b"].some(isProfileName)).toBe(false);
});

test("the environment of the client: files before values, and where configuration is", async () => {
  await using temp = await createTempDir("profiles");
  const path = join(temp.path, "token");
  await writeFile(path, "of-the-file\n");
  const env = { HOME: "/home/ada", CLAUDE_HUB_TOKEN: "direct", CLAUDE_HUB_TOKEN_FILE: path };
  expect(clientEnvironment(env)).toMatchObject({
    url: null,
    configDir: "/home/ada/.config/claude-hub",
  });
  expect(clientEnvironment(env).token?.reveal()).toBe("of-the-file");
  expect(() => clientEnvironment({ CLAUDE_HUB_TOKEN_FILE: "/nonexistent" })).toThrow(
    "CLAUDE_HUB_TOKEN_FILE must name a file that can be read (ENOENT).",
  );
  expect(clientEnvironment({ XDG_CONFIG_HOME: "/x" }).configDir).toBe("/x/claude-hub");
});
