import { array, assert, constant, oneof, property, stringMatching } from "fast-check";
import { matchesGlob } from "node:path";
import { expect, test } from "vitest";
import { mayOverlap } from "./globs.ts";

test.each([
  ["src/a.ts", "src/a.ts", true],
  ["src/a.ts", "src/b.ts", false],
  ["src", "src/api/routes.ts", true],
  ["src/api/", "src/apis/x.ts", false],
  ["src/*.ts", "src/a.ts", true],
  ["src/*.ts", "src/a.css", false],
  ["src/*.ts", "src/deep/a.ts", false],
  ["src/**/*.ts", "src/deep/er/a.ts", true],
  ["**/*.md", "docs/**", true],
  ["docs/**", "src/**", false],
  ["src/*/index.ts", "src/api/main.ts", false],
  ["**", "anything", true],
  ["./src/a.ts", "src//a.ts", true],
  ["src/{a,b}.ts", "src/c.ts", true],
  ["README.md", "docs/README.md", false],
])("%s and %s: %s", (one, other, expected) => {
  expect(mayOverlap(one, other)).toBe(expected);
  expect(mayOverlap(other, one)).toBe(expected);
});

const name = stringMatching(/^[ab.]{1,3}$/).filter((part) => !/^\.+$/.test(part));
const pattern = array(oneof(name, constant("*"), constant("**"), constant("a*"), constant("*b")), {
  minLength: 1,
  maxLength: 4,
}).map((parts) => parts.join("/"));
const path = array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));

test("a path that both mean is never overlooked", () => {
  assert(
    property(pattern, pattern, path, (one, other, file) => {
      const isMeant = (glob: string) => matchesGlob(file, glob) || matchesGlob(file, `${glob}/**`);
      return !isMeant(one) || !isMeant(other) || mayOverlap(one, other);
    }),
    { numRuns: 5_000 },
  );
});
