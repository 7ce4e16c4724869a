import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { measureApi } from "./api.ts";
import { measureContainers } from "./containers.ts";
import { measureCoordination } from "./coordination.ts";
import { measureFootprint, measureMemory } from "./footprint.ts";
import { measureGitHub } from "./github/github.ts";
import { measureGitClone } from "./git-clone.ts";
import { measureGraph } from "./graph.ts";
import { measureList } from "./list.ts";
import { measureMcp } from "./mcp.ts";
import { measureModelDoor } from "./model-door.ts";
import { measurePreparedStart, measureStart } from "./start.ts";
import { measureStream } from "./stream.ts";
import { asMarkdown } from "./table.ts";
import type { Figure } from "./table.ts";

/** Each takes a hub of its own; name some as arguments to run only these. */
const PARTS: Record<string, () => Promise<Figure[]>> = {
  footprint: measureFootprint,
  memory: measureMemory,
  api: measureApi,
  mcp: measureMcp,
  list: measureList,
  start: measureStart,
  prepared: measurePreparedStart,
  containers: measureContainers,
  stream: measureStream,
  "git-clone": measureGitClone,
  "model-door": measureModelDoor,
  graph: measureGraph,
  coordination: measureCoordination,
  github: measureGitHub,
};

const names = process.argv.slice(2).filter((name) => Object.hasOwn(PARTS, name));
const figures: Figure[] = [];
for (const [name, measure] of Object.entries(PARTS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  process.stderr.write(`measuring ${name} …\n`);
  figures.push(...(await measure()));
}
const text = asMarkdown(figures, {
  cores: cpus().length,
  node: process.version,
  at: new Date().toISOString().slice(0, 10),
});
process.stdout.write(text);
if (names.length === 0) await writeFile(join(import.meta.dirname, "results/latest.md"), text);
process.exit(0);
