import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import pino from "pino";
import { expect, test } from "vitest";
import { runGit } from "../../../test/kit/forge/git.ts";
import { createTempDir } from "../../../test/kit/temp-dir.ts";
import { EgressRule } from "../../core/egress.ts";
import type { EgressPreset } from "../../core/egress.ts";
import { upstreamFailed } from "../../core/errors.ts";
import { createRepositorySettings } from "../git/repository-settings.ts";
import { createRepositoryRules } from "./repository-rules.ts";

const FILE = ".github/claude-hub.yml";
const REPOSITORY = "acme/app";

/** A few lines that would unfold into millions of entries. */
const BOMB = Array.from(
  { length: 8 },
  (_, n) =>
    `a${n}: &a${n} [${Array.from({ length: 10 }, () => (n === 0 ? "x" : `*a${n - 1}`)).join(",")}]\n`,
).join("");

const ruleOf = (host: string) => EgressRule.parse(host);

async function house(
  repositories: string[] = [REPOSITORY],
  presets = new Map<EgressPreset, EgressRule[]>(),
) {
  const dir = await createTempDir("rules");
  const git = (...args: string[]) => runGit(args, { cwd: dir.path });
  await git("init", "-q", "-b", "main");
  let away = false;
  const settingsOf = createRepositorySettings({
    mirror: {
      dir: () => join(dir.path, ".git"),
      async freshen() {
        if (away) throw upstreamFailed("forge", new Error("away"));
        const sha = await git("rev-parse", "main");
        return { defaultBranch: "main", refs: new Map([["refs/heads/main", sha]]) };
      },
    },
    environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent" },
    log: pino({ level: "silent" }),
  });
  const rulesOf = createRepositoryRules({ repositories, presets, settingsOf });
  const asks = async (repository: string) =>
    (await rulesOf(repository)).asks.map(({ host }) => host);
  const hosts = async (repository = REPOSITORY) => {
    const { rules, fault } = await rulesOf(repository);
    return fault ?? rules.map(({ host }) => host);
  };
  return {
    asks,
    hosts,
    goAway: () => (away = true),
    away: async () => (await settingsOf(REPOSITORY)).away?.code,
    async commit(make: (path: string) => Promise<void>) {
      const path = join(dir.path, FILE);
      await mkdir(dirname(path), { recursive: true });
      await git("rm", "-rqf", "--ignore-unmatch", ".");
      await mkdir(dirname(path), { recursive: true });
      await make(path);
      await git("add", "-A");
      await git("commit", "-q", "-m", "Rules");
    },
    git,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("hosts come from the default branch, and only of repositories that may add some", async () => {
  await using at = await house(["acme/*"]);
  await at.commit((path) => writeFile(path, "egress: [a.example, '*.b.example:8443']\n"));
  expect(await at.hosts()).toEqual(["a.example", "b.example"]);
  expect(await at.hosts("Acme/other")).toEqual(["a.example", "b.example"]);
  expect(await at.hosts("acmex/app")).toEqual([]);
  await at.git("checkout", "-q", "-b", "claude/work");
  await at.commit((path) => writeFile(path, "egress: [evil.example]\n"));
  expect(await at.hosts()).toEqual(["a.example", "b.example"]);
  await at.git("checkout", "-q", "main");
  await at.commit((path) => writeFile(path, "egress: [c.example]\n"));
  expect(await at.hosts()).toEqual(["c.example"]);
});

test("any repository may have a person asked", async () => {
  await using at = await house(["acme/*"]);
  await at.commit((path) => writeFile(path, "egress: [a.example]\nask: { hosts: [c.example] }\n"));
  expect(await at.asks("other/app")).toEqual(["c.example"]);
  expect(await at.hosts("other/app")).toEqual([]);
});

test("a repository chooses presets among those that it may, whether or not it may add hosts", async () => {
  await using at = await house(["acme/app"], new Map([["npm", [ruleOf("npm.example")]]]));
  await at.commit((path) => writeFile(path, "egress: [a.example]\negressPresets: [npm, pip]\n"));
  expect(await at.hosts()).toEqual(["a.example", "npm.example"]);
  expect(await at.hosts("other/app")).toEqual(["npm.example"]);
});

test("a file that does not fit adds nothing, and says why", async () => {
  await using at = await house();
  for (const [text, fault] of [
    ["egress: [a.example, 10.0.0.1]\n", "is an address"],
    ["egress: ['*']\n", "does not fit"],
    ["egress: a.example\n", "does not fit"],
    ["- a\n- b\n", "does not fit"],
    ["egress: [\n", "is not YAML"],
    [BOMB, "is not YAML"],
    [`egress: [${"x".repeat(70_000)}]\n`, "is too large"],
    [
      `egress: [${Array.from({ length: 101 }, (_, n) => `a${n}.example`).join(", ")}]\n`,
      "does not fit",
    ],
  ]) {
    await at.commit((path) => writeFile(path, text ?? ""));
    expect(await at.hosts()).toContain(fault);
  }
});

test("no file, an empty one, a link or a directory adds nothing", async () => {
  await using at = await house();
  await at.commit((path) => writeFile(`${path}.bak`, "egress: [a.example]\n"));
  expect(await at.hosts()).toEqual([]);
  await at.commit((path) => writeFile(path, ""));
  expect(await at.hosts()).toEqual([]);
  await at.commit((path) => symlink("/etc/passwd", path));
  expect(await at.hosts()).toEqual([]);
  await at.commit(async (path) => {
    await mkdir(path);
    await writeFile(join(path, "x"), "egress: [a.example]\n");
  });
  expect(await at.hosts()).toEqual([]);
  expect(await at.away()).toBeUndefined();
  at.goAway();
  expect(await at.hosts()).toContain("cannot be read: The forge could not be reached");
  // Who can wait for it knows that.
  expect(await at.away()).toBe("upstream_failed");
});
