import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { startHttp } from "../../../test/kit/hub/http.ts";
import { apiDocument } from "./document.ts";

const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

test("docs/openapi.json is what the routes say (npm run docs makes it)", async () => {
  const path = join(import.meta.dirname, "../../../docs/openapi.json");
  expect(await readFile(path, "utf8")).toBe(apiDocument());
});

test("every operation of the document is served", async () => {
  await using http = await startHttp();
  const { paths } = Document.parse(JSON.parse(apiDocument()));
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method })),
  );
  expect(operations).toHaveLength(35);
  for (const { path, method } of operations) {
    // An id that is none, or no body, is told so by the route itself; what is no route is not found.
    const answer = await http.fetch(`/api/v1${path.replace("{id}", "no id")}`, {
      method: method.toUpperCase(),
    });
    expect([method, path, answer.status]).not.toEqual([method, path, 404]);
  }
});

test("every file of routes is in the document", async () => {
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith("routes.ts"));
  const text = await readFile(join(import.meta.dirname, "document.ts"), "utf8");
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((name) => !text.includes(`"./${name}"`))).toEqual([]);
});

test("the document says nothing that is not JSON Schema's", () => {
  expect(apiDocument()).not.toContain('"nullable"');
});
