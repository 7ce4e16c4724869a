import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cliDocument } from "../src/cli/document.ts";
import { configurationDocument } from "../src/config/document.ts";
import { repositorySchema } from "../src/config/repository-schema.ts";
import { batchSchema } from "../src/core/batch-file.ts";
import { apiDocument } from "../src/http/api/document.ts";

const ROOT = join(import.meta.dirname, "..");

/** Documents that are made from the code. */
const DOCUMENTS = [
  { path: "docs/configuration.md", render: configurationDocument },
  { path: "docs/cli.md", render: cliDocument },
  { path: "docs/openapi.json", render: apiDocument },
  { path: "docs/batch.schema.json", render: batchSchema },
  { path: "docs/claude-hub.schema.json", render: repositorySchema },
];

const check = process.argv.includes("--check");
for (const { path, render } of DOCUMENTS) {
  const text = render();
  const old = await readFile(join(ROOT, path), "utf8").catch(() => "");
  if (old === text) continue;
  if (check) {
    process.stderr.write(`${path} is not what the code says; run: npm run docs\n`);
    process.exitCode = 1;
  } else {
    await writeFile(join(ROOT, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
