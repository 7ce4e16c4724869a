import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Command } from "commander";
import { createProgram } from "../src/cli/program.ts";
import { SETTINGS } from "../src/config/settings.ts";
import { blocksIn, callsOf } from "./kit/shell-blocks.ts";
import type { ShellCall } from "./kit/shell-blocks.ts";

const ROOT = join(import.meta.dirname, "..");

/** What people read and copy from. */
async function pages(): Promise<{ name: string; text: string }[]> {
  const names = (await readdir(join(ROOT, "docs"))).filter((name) => name.endsWith(".md"));
  const paths = ["README.md", ...names.map((name) => `docs/${name}`)];
  return await Promise.all(
    paths.map(async (name) => ({ name, text: await readFile(join(ROOT, name), "utf8") })),
  );
}

/** The words behind `claude-hub` of every call that stands in a page, without its comment. */
function callsIn(text: string): string[][] {
  const calls = text.matchAll(
    /(?:^|`)(?:npm run (github)(?: --)?|(?:\S*\/)?claude-hub)((?: [^\n`#|;&]+)?)/gm,
  );
  return [...calls].map(([, script, rest = ""]) =>
    `${script ?? ""} ${rest}`.split(/\s+/).filter((word) => word !== ""),
  );
}

/** What the program does not know of a call; null: it knows all. */
function unknownIn(program: Command, words: readonly string[]): string | null {
  let command = program;
  for (const word of words) {
    if (word.startsWith("-")) {
      const name = word.replace(/=.*$/, "");
      if (name === "--help" || name === "--version") continue;
      if (!command.options.some(({ long, short }) => long === name || short === name)) return name;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word);
    if (next !== undefined) command = next;
    else if (command === program) return word;
  }
  return null;
}

test("commands that stand in the documents are known, with their options", async () => {
  const program = createProgram();
  const found = (await pages()).flatMap(({ name, text }) =>
    callsIn(text)
      // The name of a check.
      .filter((words) => words.join(" ") !== "settings")
      .map((words) => ({ name, words, unknown: unknownIn(program, words) })),
  );
  expect(found.filter(({ unknown }) => unknown !== null)).toEqual([]);
  expect(found.some(({ words }) => words.includes("--token"))).toBe(true);
  expect(unknownIn(program, ["github", "setup", "--tokn"])).toBe("--tokn");
  expect(unknownIn(program, ["gitub"])).toBe("gitub");
});

/** What the command line is given by a call, if it is one of it; a script of npm that there is not has none. */
function argumentsOf({ words }: ShellCall, scripts: readonly string[]): string[] | null {
  const own = words.findIndex((word) => /(?:^|\/)claude-hub$/.test(word));
  if (own !== -1) return words.slice(own + 1);
  if (words[0] !== "npm" || words[1] !== "run") return null;
  const [script = "", ...rest] = words.slice(2).filter((word) => word !== "-s" && word !== "--");
  if (!scripts.includes(script)) return ["npm", "run", script];
  const command = { hub: [], github: ["github"], auth: ["auth"], doctor: ["doctor"] }[script];
  return command === undefined ? null : [...command, ...rest];
}

/** The program, whose commands do nothing. */
function programThatReads(): Command {
  const program = createProgram();
  const still = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    command.action(() => undefined);
    for (const one of command.commands) still(one);
  };
  still(program);
  return program;
}

async function refusal(words: readonly string[]): Promise<string | null> {
  try {
    await programThatReads().parseAsync(words, { from: "user" });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("calls in blocks for the shell are taken by the program as they stand", async () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    await readFile(join(ROOT, "package.json"), "utf8"),
  );
  const found = (await pages()).flatMap(({ name, text }) =>
    blocksIn(text)
      .flatMap(callsOf)
      .map((call) => argumentsOf(call, Object.keys(scripts)))
      .filter((words) => words !== null)
      .map((words) => ({ name, words })),
  );
  const refused: string[] = [];
  for (const { name, words } of found) {
    const why = await refusal(words);
    if (why !== null) refused.push(`${name}: ${words.join(" ")}: ${why}`);
  }
  expect(refused).toEqual([]);
  expect(found.map(({ words }) => words)).toContainEqual([
    "token",
    "create",
    "my Claude Code",
    "--scope",
    "write",
    "--repo",
    "octo/greeter",
  ]);
  expect(await refusal(["token", "create", "a", "--scope", "all"])).toContain("Allowed choices");
  expect(await refusal(["token", "create"])).toContain("missing required argument");
  expect(await refusal(["npm", "run", "nothing"])).toContain("too many arguments");
});

test("variables that blocks for the shell set are settings", async () => {
  const settings = Object.values(SETTINGS);
  const isSetting = (name: string) =>
    settings.some(
      ({ variable, secret }) => name === variable || (secret && name === `${variable}_FILE`),
    );
  const found = (await pages()).flatMap(({ name, text }) =>
    blocksIn(text)
      .flatMap(callsOf)
      .flatMap(({ variables }) => variables)
      // Of the shell itself.
      .filter((variable) => variable !== "TOKEN")
      .map((variable) => `${name}: ${variable}`),
  );
  expect(found).toContain("docs/github.md: GITHUB_APP_PRIVATE_KEY_FILE");
  expect(found.filter((one) => !isSetting(one.split(": ")[1] ?? ""))).toEqual([]);
});

test("settings that stand in the documents are settings", async () => {
  // The hub's, those of its commands, and those of the composition around it.
  const sources = ["docs/configuration.md", "docs/cli.md", "compose.yaml"];
  const texts = await Promise.all(sources.map((path) => readFile(join(ROOT, path), "utf8")));
  const known = texts.join("\n");
  const names = (await pages()).flatMap(({ name, text }) =>
    [...text.matchAll(/\b(?:CLAUDE_HUB|PR_REVIEW|GITHUB)_[A-Z][A-Z_]*[A-Z]\b(?!\*)/g)].map(
      ([setting]) => `${name}: ${setting}`,
    ),
  );
  const unknown = names.filter(
    (one) => !known.includes((one.split(": ")[1] ?? "").replace(/_FILE$/, "")),
  );
  expect([...new Set(unknown)]).toEqual([]);
});

test("paths of the API that stand in the documents are the API's", async () => {
  const { paths }: { paths: Record<string, unknown> } = JSON.parse(
    await readFile(join(ROOT, "docs/openapi.json"), "utf8"),
  );
  const shapes = Object.keys(paths).map(
    (path) => new RegExp(`^(?:/api/v1)?${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`),
  );
  const found = (await pages()).flatMap(({ name, text }) =>
    [...text.matchAll(/\/api\/v1(?:\/[\w{}$-]+)+/g)].map(([path]) => `${name}: ${path}`),
  );
  const unknown = found.filter(
    (one) => !shapes.some((shape) => shape.test(one.split(": ")[1] ?? "")),
  );
  expect([...new Set(unknown)]).toEqual([]);
});
