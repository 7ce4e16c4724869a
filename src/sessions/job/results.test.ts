import { expect, test } from "vitest";
import { newId } from "../../core/id.ts";
import type { ResultBefore } from "../../store/sessions/before.ts";
import { resultsText } from "./results.ts";

function result(more: Partial<ResultBefore> = {}): ResultBefore {
  return {
    sessionId: newId(),
    title: "Greet in French",
    requirements: "Add a greeting.\nIn French.",
    status: "completed",
    error: null,
    summary: "Done.",
    answer: null,
    workBranch: "claude/fr",
    ...more,
  };
}

test("says how each ended, where its work is, and what it answered", () => {
  const text = resultsText(
    [
      result(),
      result({ title: null, status: "failed", error: "No.", summary: "", workBranch: "claude/x" }),
      result({ title: "Look", workBranch: null, answer: { files: 3 } }),
    ],
    (branch) => (branch === "claude/fr" ? "abc" : null),
  );
  expect(text).toBe(
    [
      "## Greet in French\nIt completed.\nIts branch: claude/fr, at abc\nDone.",
      "## Add a greeting.\nIt failed: No.",
      '## Look\nIt completed.\nDone.\nIts answer: {"files":3}',
    ].join("\n\n"),
  );
});

test("stays within its bound, however many there are and however much they say", () => {
  const loud = result({ summary: "x".repeat(20_000), error: "y".repeat(2_000) });
  for (const count of [1, 10, 100]) {
    const text = resultsText(
      Array.from({ length: count }, () => loud),
      () => null,
    );
    expect(text.length).toBeLessThan(25_000);
    expect(text.split("## Greet in French")).toHaveLength(count + 1);
  }
});
