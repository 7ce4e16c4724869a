import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Branch, Repository } from "./repository.ts";

test.each(["acme/app", "a/b", "a-b/c.d_e-f", "octo/.github"])("takes %s", (name) => {
  expect(Repository.parse(name)).toBe(name);
});

test.each([
  "octo/..",
  "octo/.",
  "octo/.git",
  "octo/app.git",
  "-octo/app",
  "octo-/app",
  "octo/-app",
  "octo",
  "octo/a/b",
  "octo/a b",
  "../app",
  "octo/a\u0000",
  "octo/a\n",
  `${"o".repeat(40)}/app`,
  `octo/${"a".repeat(101)}`,
])("refuses %j", (name) => {
  expect(Repository.safeParse(name).success).toBe(false);
});

test("what is taken is two steps of a path, whatever was asked", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = Repository.safeParse(text);
      if (!parsed.success) return;
      const steps = parsed.data.split("/");
      expect(steps).toHaveLength(2);
      for (const step of steps) expect(step).not.toMatch(/^(\.*|-.*)$/);
    }),
  );
});

test.each(["main", "claude/x-1", "feature/a.b"])("takes the branch %s", (name) => {
  expect(Branch.parse(name)).toBe(name);
});

test.each([
  "",
  "-x",
  "a..b",
  "a b",
  "a~1",
  "a^",
  "a:b",
  "/a",
  "a/",
  "a//b",
  ".a",
  "a.lock",
  "@",
  "a@{1}",
  "a\\b",
  "a\u0007",
])("refuses the branch %j", (name) => {
  expect(Branch.safeParse(name).success).toBe(false);
});
