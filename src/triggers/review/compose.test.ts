import { expect, test } from "vitest";
import { composeReview } from "./compose.ts";

test("a review of many long remarks that have no line is no longer than GitHub takes", () => {
  const found = Array.from({ length: 25 }, (_, n) => ({
    path: `src/${n}.ts`,
    line: 1,
    side: "RIGHT" as const,
    severity: "high" as const,
    body: "@everybody ".repeat(400),
  }));
  const { body, comments } = composeReview({
    review: { number: 1, sha: "0".repeat(40), verdict: "comment" },
    summary: "Long. ".repeat(5_000),
    found,
    files: [],
    redact: (text) => text,
  });
  expect(comments).toEqual([]);
  expect(body.length).toBeLessThan(65_000);
  expect(body).toContain("`src/0.ts:1`");
  expect(body).toMatch(/\(1\d more remarks have no room here\.\)/);
});
