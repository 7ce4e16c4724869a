import { expect, test } from "vitest";
import { commentable, placeFault } from "./hunks.ts";

const PATCH = [
  "@@ -1,3 +1,4 @@ function a() {",
  " one",
  "-two",
  "+2",
  "+2.5",
  " three",
  "@@ -10 +11,2 @@",
  "-ten",
  "\\ No newline at end of file",
  "+10",
  "+@@ -1 +1 @@",
].join("\n");

test("knows the lines of each side", () => {
  const { LEFT, RIGHT } = commentable(PATCH);
  expect([...LEFT]).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
    [10, 1],
  ]);
  expect([...RIGHT]).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
    [11, 1],
    [12, 1],
  ]);
});

test("says why a comment cannot stand somewhere", () => {
  const lines = commentable(PATCH);
  expect(placeFault(lines, { side: "RIGHT", line: 3 })).toBeNull();
  expect(placeFault(lines, { side: "RIGHT", line: 3, startLine: 2 })).toBeNull();
  expect(placeFault(lines, { side: "LEFT", line: 4 })).toContain("the nearest one that is: 3");
  expect(placeFault(lines, { side: "RIGHT", line: 11, startLine: 4 })).toContain("same part");
  expect(placeFault(lines, { side: "RIGHT", line: 3, startLine: 4 })).toContain("before");
  expect(placeFault(commentable(null), { side: "RIGHT", line: 1 })).toBe(
    "line 1 is not part of the difference",
  );
});
