import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Command } from "commander";
import { createProgram } from "../src/cli/program.ts";

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
