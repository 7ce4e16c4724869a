import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { z } from "zod";

const PATH = join(import.meta.dirname, "../../../docs/claude-webhook-api.openapi.yaml");

const Media = z.object({
  schema: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
});
const Content = z.record(z.string(), Media).optional();
const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        requestBody: z.object({ content: Content }).optional(),
        responses: z.record(z.string(), z.object({ content: Content })),
      }),
    ),
  ),
  components: z.object({
    schemas: z.record(
      z.string(),
      z.object({ properties: z.record(z.string(), z.unknown()).optional() }),
    ),
  }),
});

/** The older API's file, as something that answers can be held against. */
export interface Contract {
  /** What is wrong with an answer, in words; empty when nothing is. Throws when the file does not know the status. */
  misfits(operation: string, status: number, body: unknown): string[];
  /** The same for one of the file's named schemas. */
  schemaMisfits(name: string, value: unknown): string[];
  /** The properties that a named schema lists. */
  properties(name: string): string[];
  /** `get /health` … with the statuses that the file gives each. */
  operations: Record<string, string[]>;
  /** The documented bodies of the generic webhook, by name, as they stand in the file. */
  examples: Record<string, unknown>;
}

export async function readContract(): Promise<Contract> {
  const source: unknown = parse(await readFile(PATH, "utf8"));
  const document = Document.parse(source);
  const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));
  ajv.addSchema({ $id: "contract", ...z.record(z.string(), z.unknown()).parse(modern(source)) });

  function check(pointer: string, value: unknown): string[] {
    const validate = ajv.compile({ $ref: `contract#${pointer}` });
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
  }

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return {
    misfits(name, status, body) {
      const found = operations.find(({ path, method }) => `${method} ${path}` === name);
      const response = found?.operation.responses[status];
      if (found === undefined || response === undefined)
        throw new Error(`the contract has no ${status} for ${name}`);
      if (response.content === undefined) return [];
      const steps = ["paths", found.path, found.method, "responses", String(status), "content"];
      return check(pointerOf([...steps, "application/json", "schema"]), body);
    },
    schemaMisfits: (name, value) => check(pointerOf(["components", "schemas", name]), value),
    properties: (name) => Object.keys(document.components.schemas[name]?.properties ?? {}),
    operations: Object.fromEntries(
      operations.map(({ path, method, operation }) => [
        `${method} ${path}`,
        Object.keys(operation.responses),
      ]),
    ),
    examples: Object.fromEntries(
      Object.entries(
        document.paths["/api/webhooks/{provider}"]?.["post"]?.requestBody?.content?.[
          "application/json"
        ]?.examples ?? {},
      ).map(([name, { value }]) => [name, value]),
    ),
  };
}

function pointerOf(steps: string[]): string {
  return steps
    .map((step) => `/${encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))}`)
    .join("");
}

/** OpenAPI 3.0 says `nullable`, JSON Schema says `type: [..., "null"]`; references become absolute. */
function modern(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(modern);
  if (value === null || typeof value !== "object") return value;
  const { nullable, type, ...rest } = z.record(z.string(), z.unknown()).parse(value);
  const kept = Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, modern(one)]));
  if (type === undefined) return nullable === undefined ? kept : { ...kept, nullable };
  return { ...kept, type: nullable === true ? [type, "null"] : modern(type) };
}
