// Makes operations.json: of GitHub's published description (`npm pack @octokit/openapi@23.0.2`, file
// generated/api.github.com.json) only the operations that the local GitHub has, without prose.
//     npm exec -- node test/kit/github/openapi/extract.ts path/to/api.github.com.json
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { routes } from "../routes/all.ts";

const record = z.record(z.string(), z.unknown());
const PROSE = new Set(["description", "summary", "title", "pattern", "externalDocs", "deprecated"]);
const EXAMPLES = new Set([
  "example",
  "examples",
  "x-github",
  "discriminator",
  "default",
  "headers",
]);

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error("which api.github.com.json?");
const document = record.parse(JSON.parse(await readFile(source, "utf8")));
const paths = record.parse(document["paths"]);
const components: Record<string, Record<string, unknown>> = {};
const operations: Record<string, unknown> = {};

for (const { method, path } of routes) {
  const methods = record.parse(paths[path] ?? {});
  const operation = methods[method.toLowerCase()];
  if (operation === undefined) throw new Error(`GitHub has no ${method} ${path}`);
  const { parameters = [], requestBody, responses } = record.parse(operation);
  const successes = Object.entries(record.parse(responses)).filter(([status]) => status < "300");
  operations[`${method} ${path}`] = shorten({
    parameters,
    requestBody,
    responses: Object.fromEntries(successes),
  });
}

/** Leaves out prose and examples, makes `nullable` what JSON Schema understands, and collects what is referred to. */
function shorten(value: unknown, named = false): unknown {
  if (Array.isArray(value)) return value.map((each) => shorten(each));
  if (typeof value !== "object" || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) {
    // Below `properties` the keys are names, not words of the schema.
    if (!named && (EXAMPLES.has(key) || (PROSE.has(key) && typeof each === "string"))) continue;
    if (!named && key === "deprecated") continue;
    kept[key] = shorten(each, !named && key === "properties");
    if (key === "$ref" && typeof each === "string") collect(each);
  }
  if (named || kept["nullable"] !== true) return kept;
  const { nullable: _, ...schema } = kept;
  return { anyOf: [{ type: "null" }, schema] };
}

function collect(reference: string): void {
  const [, , kind = "", name = ""] = reference.split("/");
  components[kind] ??= {};
  if (name in components[kind]) return;
  // Set first: schemas refer to themselves.
  components[kind][name] = {};
  const all = record.parse(record.parse(document["components"])[kind]);
  components[kind][name] = shorten(all[name]);
}

// Of outdated comments GitHub gives null here, though its description does not say so.
const comment = z
  .looseObject({ properties: record })
  .parse(components["schemas"]?.["pull-request-review-comment"]);
for (const name of ["line", "position"]) comment.properties[name] = { type: ["integer", "null"] };
Object.assign(components["schemas"] ?? {}, { "pull-request-review-comment": comment });

// The list of installations would have an account be a user and an enterprise at once.
const items = { $ref: "#/components/schemas/installation" };
operations["GET /app/installations"] = {
  ...record.parse(operations["GET /app/installations"]),
  responses: { 200: { content: { "application/json": { schema: { type: "array", items } } } } },
};

const lines = Object.entries(operations).map(([key, each]) => `    ${pair(key, each)}`);
const kinds = Object.entries(components).map(([kind, each]) => {
  const entries = Object.entries(each).map(([name, schema]) => `      ${pair(name, schema)}`);
  return `    ${JSON.stringify(kind)}: {\n${entries.join(",\n")}\n    }`;
});
const text = `{\n  "operations": {\n${lines.join(",\n")}\n  },\n  "components": {\n${kinds.join(",\n")}\n  }\n}\n`;
await writeFile(join(import.meta.dirname, "operations.json"), text);
process.stdout.write(`${lines.length} operations, ${text.length} bytes\n`);

function pair(key: string, value: unknown): string {
  return `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
}
