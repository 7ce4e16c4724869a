import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cliDocument } from "./document.ts";

test("docs/cli.md is what the commands say; if not: npm run docs", async () => {
  const path = join(import.meta.dirname, "../../docs/cli.md");
  expect(await readFile(path, "utf8")).toBe(cliDocument());
});
