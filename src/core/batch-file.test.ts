import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { batchSchema, parseBatch } from "./batch-file.ts";

/** Each way in which files of the older command line were written. */
const OLDER = `
- repo: acme/one
  command: >
    Analyze issue #42.
  issue: 42
- repo: acme/one
  command: Review it.
  pr: 123
  branch: feature/new-api
- repo: two
  command: Look.
  resourceLimits: { memory: 4g, cpuShares: 2048, pidsLimit: 512 }
- repo: acme/one
  command: Quoted.
  resourceLimits: { memory: "4g", cpuShares: "2048", pidsLimit: "512" }
- repo: acme/one
  command: Begin.
  pr: true
`;

const validate = new Ajv2020({ strict: false }).compile(JSON.parse(batchSchema()));

test("files of the older command line are read, and have names", () => {
  const tasks = parseBatch(parse(OLDER));
  expect(tasks.map(({ id }) => id)).toEqual(["task-1", "task-2", "task-3", "task-4", "task-5"]);
  const limits = { memory: "4g", cpuShares: 2048, pidsLimit: 512 };
  expect(tasks.map(({ resourceLimits }) => resourceLimits).slice(2, 4)).toEqual([limits, limits]);
  expect(tasks[0]).toMatchObject({ type: "implementation", needs: [], issue: 42 });
  expect(validate(parse(OLDER))).toBe(true);
});

const task = (more: Record<string, unknown> = {}) => ({ repo: "a/b", command: "x", ...more });

test.each<[string, unknown, string]>([
  ["no list", task(), "the file: "],
  ["nothing", [], "the file: "],
  ["a misspelt word", [task(), task({ need: ["a"] })], "1: "],
  ["no command", [{ repo: "a/b" }], "0.command: "],
  ["two threads", [task({ issue: 1, pr: 2 })], "0.pr: is about an issue or"],
  [
    "a limit that is none",
    [task({ resourceLimits: { memory: "much" } })],
    "0.resourceLimits.memory",
  ],
  [
    "no such task",
    [task({ id: "a" }), task({ needs: ["a", "x"] })],
    "1.needs.1: there is no task x",
  ],
  ["a name given twice", [task({ id: "a" }), task({ id: "a" })], "1.id: a is the name of task 0"],
  ["a name that is a number's", [task({ id: "task-2" }), task()], "1.id: "],
  [
    "a circle",
    [task({ id: "a", needs: ["b"] }), task({ id: "b", needs: ["a"] })],
    "0.needs.0: is a cycle: a needs b needs a",
  ],
])("%s is refused, with its place", (_name, value, message) => {
  expect(() => parseBatch(value)).toThrow(message);
});

test("docs/batch.schema.json is what the code says; if not: npm run docs", async () => {
  const path = join(import.meta.dirname, "../../docs/batch.schema.json");
  expect(await readFile(path, "utf8")).toBe(batchSchema());
});
