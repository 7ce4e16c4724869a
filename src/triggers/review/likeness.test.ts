import { expect, test } from "vitest";
import { isSameRemark } from "./likeness.ts";

const REMARK = {
  path: "a.ts",
  line: 10,
  body: "The array may be empty, so `first` is undefined here.",
};

test.each([
  ["the same", {}, true],
  ["the same with the hub's mark", { body: `${REMARK.body}\n\n<!-- claude-hub x -->` }, true],
  ["in other words of the same", { body: "The array may be empty so first is undefined." }, true],
  ["a few lines on", { line: 14 }, true],
  ["on a line that has gone", { line: null }, true],
  ["far away", { line: 30 }, false],
  ["in another file", { path: "b.ts" }, false],
  ["of something else", { body: "This name says nothing of what it holds." }, false],
] as const)("%s", (_what, more, expected) => {
  expect(isSameRemark(REMARK, { ...REMARK, ...more })).toBe(expected);
});
