import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import type { ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { z } from "zod";
import { GitHubError } from "../errors.ts";
import type { Answer, Route } from "../router.ts";
import type { LoggedRequest } from "../server.ts";

const KEPT = 100;

const schemaSchema = z.record(z.string(), z.unknown());
const parameterSchema = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  schema: schemaSchema.optional(),
});
const contentSchema = z.record(z.string(), z.object({ schema: schemaSchema.optional() }));
const reference = z.object({ $ref: z.string() });
const operationSchema = z.object({
  parameters: z.array(z.union([reference, parameterSchema])),
  requestBody: z.object({ required: z.boolean().optional(), content: contentSchema }).optional(),
  responses: z.record(
    z.string(),
    z.union([reference, z.object({ content: contentSchema.optional() })]),
  ),
});
const fixtureSchema = z.object({
  operations: z.record(z.string(), operationSchema),
  components: z.object({
    parameters: z.record(z.string(), parameterSchema),
    responses: z.record(z.string(), z.object({ content: contentSchema.optional() })),
    schemas: z.record(z.string(), z.unknown()),
  }),
});

export interface Validator {
  /** Notes what is wrong with a request, and gives GitHub's answer to it. */
  request(
    route: Route,
    params: Record<string, string>,
    query: URLSearchParams,
    request: LoggedRequest,
  ): GitHubError | null;
  /** Throws when the local GitHub itself answers otherwise than GitHub would. */
  answer(route: Route, answer: Answer): void;
  /** Notes a request to what GitHub does not have, or the kit does not. */
  unknown(request: LoggedRequest): void;
  /** What was wrong since the last time. */
  take(): string[];
}

/** Parsed and compiled once a process; the fixture is large. */
const shared: { ajv?: Ajv; fixture?: z.infer<typeof fixtureSchema> } = {};
const compiled = new Map<string, ValidateFunction>();

/** Holds requests and answers against GitHub's published description. */
export function createValidator(): Validator {
  const wrong: string[] = [];

  function note(request: LoggedRequest, why: string): void {
    if (wrong.length < KEPT) wrong.push(`${request.method} ${request.path}: ${why}`);
  }

  return {
    request(route, params, query, request) {
      const operation = operationOf(route);
      const problems = [
        ...parameterProblems(route, operation, params, query),
        ...bodyProblems(route, operation, request.body),
      ];
      for (const problem of problems) note(request, problem);
      if (problems.length === 0) return null;
      return new GitHubError(422, `Invalid request.\n\n${problems.join("\n")}`);
    },
    answer(route, { status, body }) {
      if (status >= 300) return;
      const { fixture } = load();
      const found = operationOf(route).responses[String(status)];
      const key = `${route.method} ${route.path}`;
      if (found === undefined) throw new Error(`${key} does not answer ${status}`);
      const name = "$ref" in found ? (found.$ref.split("/").at(-1) ?? "") : "";
      const { content } = "$ref" in found ? (fixture.components.responses[name] ?? {}) : found;
      const schema = content?.["application/json"]?.schema;
      if (schema === undefined || body === undefined) return;
      const problems = check(`${key} ${status}`, schema, body);
      if (problems.length > 0) throw new Error(`${key} answers amiss: ${problems.join("; ")}`);
    },
    unknown(request) {
      note(request, "the local GitHub has no such route");
    },
    take: () => wrong.splice(0),
  };
}

type Operation = z.infer<typeof operationSchema>;

function parameterProblems(
  route: Route,
  operation: Operation,
  params: Record<string, string>,
  query: URLSearchParams,
): string[] {
  const { fixture } = load();
  const key = `${route.method} ${route.path}`;
  const known = operation.parameters.map((each) => {
    const resolved =
      "$ref" in each ? fixture.components.parameters[each.$ref.split("/").at(-1) ?? ""] : each;
    if (resolved === undefined) throw new Error(`${key} has a parameter that is not there`);
    return resolved;
  });
  const problems: string[] = [];
  for (const parameter of known) {
    const value = parameter.in === "path" ? params[parameter.name] : query.get(parameter.name);
    if (value === undefined || value === null) {
      if (parameter.required === true) problems.push(`${parameter.name} is missing`);
    } else if (parameter.schema !== undefined) {
      const { type } = parameter.schema;
      const asked = type === "integer" || type === "number" ? Number(value) : value;
      const read = type === "boolean" ? value === "true" : asked;
      if (type !== "array")
        problems.push(...check(`${key} ${parameter.name}`, parameter.schema, read));
    }
  }
  for (const name of query.keys()) {
    if (!known.some((each) => each.in === "query" && each.name === name)) {
      problems.push(`?${name} is unknown`);
    }
  }
  return problems;
}

function bodyProblems(route: Route, { requestBody }: Operation, body: unknown): string[] {
  const schema = requestBody?.content["application/json"]?.schema;
  if (body === undefined) return requestBody?.required === true ? ["a body is missing"] : [];
  if (schema === undefined) return isEmpty(body) ? [] : ["there must be no body"];
  const problems = check(`${route.method} ${route.path} body`, schema, body);
  const names = z.object({ properties: schemaSchema }).safeParse(schema);
  if (!names.success || typeof body !== "object" || body === null) return problems;
  // GitHub would ignore it in silence, so nobody would see the slip.
  const unknown = Object.keys(body).filter((name) => !(name in names.data.properties));
  return [...problems, ...unknown.map((name) => `${name} is unknown`)];
}

function isEmpty(body: unknown): boolean {
  return typeof body === "object" && body !== null && Object.keys(body).length === 0;
}

function operationOf({ method, path }: Route): Operation {
  const operation = load().fixture.operations[`${method} ${path}`];
  if (operation === undefined) throw new Error(`run openapi/extract.ts: no ${method} ${path}`);
  return operation;
}

function load() {
  if (shared.ajv === undefined || shared.fixture === undefined) {
    const text = readFileSync(join(import.meta.dirname, "operations.json"), "utf8");
    const raw: unknown = JSON.parse(text);
    shared.fixture = fixtureSchema.parse(raw);
    shared.ajv = new Ajv({ strict: false, allErrors: true, logger: false });
    addFormats.default(shared.ajv);
    shared.ajv.addSchema({ components: shared.fixture.components }, "github");
  }
  return { ajv: shared.ajv, fixture: shared.fixture };
}

function check(key: string, schema: Record<string, unknown>, value: unknown): string[] {
  let validate = compiled.get(key);
  if (validate === undefined) {
    validate = load().ajv.compile(absolute(schema));
    compiled.set(key, validate);
  }
  if (validate(value)) return [];
  const errors = validate.errors ?? [];
  return errors.slice(0, 10).map((each) => `${each.instancePath} ${each.message ?? ""}`);
}

/** References within the description, made to lead to where it is kept. */
function absolute(schema: Record<string, unknown>): Record<string, unknown> {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"github#/');
  return schemaSchema.parse(JSON.parse(text));
}
