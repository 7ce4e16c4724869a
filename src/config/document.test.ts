import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configurationDocument } from "./document.ts";
import { repositorySchema } from "./repository-schema.ts";
import { SETTINGS } from "./settings.ts";

test("docs/configuration.md is what the settings say; if not: npm run docs", async () => {
  const path = join(import.meta.dirname, "../../docs/configuration.md");
  expect(await readFile(path, "utf8")).toBe(configurationDocument());
});

test("every setting has one row of four cells", () => {
  const rows = configurationDocument()
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const variables = Object.values(SETTINGS).map(({ variable }) => variable);
  expect(new Set(variables).size).toBe(variables.length);
  expect(rows).toHaveLength(variables.length);
  for (const row of rows) expect(row.split(" | ")).toHaveLength(4);
});

test("docs/claude-hub.schema.json is what the settings of a repository say; if not: npm run docs", async () => {
  const path = join(import.meta.dirname, "../../docs/claude-hub.schema.json");
  expect(await readFile(path, "utf8")).toBe(repositorySchema());
});
