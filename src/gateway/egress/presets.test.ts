import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir } from "../../../test/kit/temp-dir.ts";
import { resolvePresets } from "./presets.ts";

/** Package tools that say what they are told, in a PATH of their own. */
async function tools(scripts: Record<string, string>, files: Record<string, string> = {}) {
  const dir = await createTempDir("tools");
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(dir.path, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(dir.path, name), 0o755);
  }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dir.path, name, ".."), { recursive: true });
    await writeFile(join(dir.path, name), text);
  }
  const parts = {
    environment: { PATH: dir.path, HOME: dir.path },
    serverUrl: "https://git.example.com",
    apiUrl: "https://git.example.com/api/v3",
  };
  return {
    async hosts(...presets: Parameters<typeof resolvePresets>[0]) {
      const rules = await resolvePresets(presets, parts);
      return rules.map(({ host, port }) => (port === null ? host : `${host}:${port}`));
    },
    forge: async (serverUrl: string, apiUrl: string) =>
      (await resolvePresets(["forge"], { ...parts, serverUrl, apiUrl })).map(({ host }) => host),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("each tool is asked for what it is configured with", async () => {
  await using house = await tools(
    {
      npm: `[ "$*" = "config get registry" ] && echo https://npm.example.com/registry/`,
      pip: `case "$1" in
        config) echo "global.extra-index-url='https://extra.example.com:8443/simple'" ;;
        install) printf '  -i, --index-url <url>  Base URL of the\\n   Index (default\\n   https://pip.example.com/simple). This\\n' ;;
      esac`,
      "apt-get": `echo http://apt.example.com/debian/; echo http://apt.example.com/debian/; echo https://security.example.com/`,
      go: `echo 'https://go.example.com/proxy,direct'; echo 'sum.example.com+033de0ae'`,
    },
    {
      ".npmrc": "@acme:registry=https://acme.example.com/npm/\n//acme.example.com/:_authToken=x\n",
      ".cargo/config.toml": `[registries.acme]\nindex = "sparse+https://cargo.example.com/index/"\n`,
    },
  );
  expect(await house.hosts("npm")).toEqual(["npm.example.com", "acme.example.com"]);
  expect(await house.hosts("pip")).toEqual(["extra.example.com:8443", "pip.example.com"]);
  expect(await house.hosts("apt", "apt")).toEqual(["apt.example.com", "security.example.com"]);
  expect(await house.hosts("go")).toEqual(["go.example.com", "sum.example.com"]);
  expect(await house.hosts("cargo")).toEqual(["cargo.example.com"]);
});

test("a preset that stands for nothing stops the start with one sentence", async () => {
  await using house = await tools({ npm: "exit 1", go: "echo off; echo off" });
  for (const preset of ["npm", "pip", "apt", "go", "cargo"] as const)
    await expect(house.hosts(preset)).rejects.toThrow(
      new RegExp(`^CLAUDE_HUB_EGRESS_PRESETS names ${preset}, but .* CLAUDE_HUB_EGRESS_HOSTS`),
    );
  await expect(house.forge("http://127.0.0.1:3000", "http://127.0.0.1:3000")).rejects.toThrow(
    "GITHUB_SERVER_URL is no name",
  );
});

test("the forge's raw files are opened, and not the forge itself", async () => {
  await using house = await tools({});
  const dotcom = await house.forge("https://github.com", "https://api.github.com");
  expect(dotcom).toEqual(["raw.githubusercontent.com", "codeload.github.com"]);
  expect(await house.hosts("forge")).toEqual(["raw.git.example.com", "codeload.git.example.com"]);
});
