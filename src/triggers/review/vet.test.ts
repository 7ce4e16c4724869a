import { expect, test } from "vitest";
import type { FoundComment } from "../../store/threads/reviews.ts";
import { composeReview } from "./compose.ts";
import { findingFault, MAX_COMMENTS } from "./vet.ts";

const PATCH = "@@ -1,2 +1,3 @@\n one\n-two\n+2\n+3";
const file = (path: string, patch: string | null = PATCH) => ({
  path,
  patch,
  status: "modified",
  additions: 2,
  deletions: 1,
});
const FOUND: FoundComment = {
  path: "a.ts",
  line: 2,
  side: "RIGHT",
  body: "This is never awaited.",
  severity: "high",
};
const GROUND = { files: [file("a.ts"), file("b.png", null)], earlier: [], found: [] };

test("a finding has to be on a line of the difference, and new", () => {
  expect(findingFault(FOUND, GROUND)).toBeNull();
  expect(findingFault({ ...FOUND, path: "c.ts" }, GROUND)).toContain("does not change that file");
  expect(findingFault({ ...FOUND, path: "b.png" }, GROUND)).toContain("shows no lines");
  expect(findingFault({ ...FOUND, line: 9 }, GROUND)).toContain("not part of the difference");
  expect(findingFault(FOUND, { ...GROUND, found: [FOUND] })).toContain("already");
  const earlier = [{ path: "a.ts", line: null, body: `**Important:** ${FOUND.body}` }];
  expect(findingFault(FOUND, { ...GROUND, earlier })).toContain("earlier review");
});

test("a review has so many comments and no more", () => {
  const found = Array.from({ length: MAX_COMMENTS }, (_, n) => ({ ...FOUND, body: `no. ${n}` }));
  expect(findingFault(FOUND, { ...GROUND, found })).toContain("at the most");
});

test("what has no line any more stands in the body, and nothing calls anybody or tells a secret", () => {
  const draft = composeReview({
    review: { number: 1, sha: "a".repeat(40), verdict: null },
    summary: "Thanks @ada, see #7. sesame",
    found: [FOUND, { ...FOUND, line: 9, body: "Gone, @ada.", severity: "low" }],
    files: GROUND.files,
    redact: (text) => text.replaceAll("sesame", "***"),
  });
  expect(draft.verdict).toBe("comment");
  expect(draft.comments).toEqual([
    { path: "a.ts", line: 2, side: "RIGHT", body: "**Important:** This is never awaited." },
  ]);
  expect(draft.body).toContain("`a.ts:9`: **Minor:** Gone");
  expect(draft.body).not.toMatch(/@ada|#7|sesame/);
});
