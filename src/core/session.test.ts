import { expect, test } from "vitest";
import { NewSession, SessionStatus, canBecome, isFinal } from "./session.ts";

const ID = "0198c5b2-7d3a-7000-8000-000000000001";
const least = {
  type: "analysis",
  project: { repository: "acme/app", requirements: "Look." },
};

test("the last three statuses are final, every other one can still be cancelled", () => {
  const final = SessionStatus.options.filter(isFinal);
  expect(final).toEqual(["completed", "failed", "cancelled"]);
  for (const status of SessionStatus.options)
    expect(canBecome(status, "cancelled")).toBe(!isFinal(status));
  expect(canBecome("pending", "running")).toBe(false);
});

test("blanks, none and repeats among dependencies are dropped", () => {
  const { dependencies } = NewSession.parse({
    ...least,
    dependencies: ["", "  ", "none", "NONE", ID, ` ${ID.toUpperCase()} `],
  });
  expect(dependencies).toEqual([ID]);
});

test.each([
  ["dependencies", { ...least, dependencies: ["nobody"] }],
  ["type", { ...least, type: "magic" }],
  ["project.requirements", { ...least, project: { ...least.project, requirements: "" } }],
  ["project.requirements", { ...least, project: { ...least.project, requirements: "a\u0000b" } }],
  ["project.requirements", { ...least, project: { ...least.project, requirements: "\ud800" } }],
  [
    "project.requirements",
    { ...least, project: { ...least.project, requirements: "x".repeat(65_537) } },
  ],
  ["options.timeout", { ...least, options: { timeout: 0 } }],
  ["options.notifyUrl", { ...least, options: { notifyUrl: "file:///etc/passwd" } }],
  ["metadata", { ...least, metadata: { long: "x".repeat(20_000) } }],
])("refuses a wrong %s", (field, input) => {
  const parsed = NewSession.safeParse(input);
  expect(parsed.success).toBe(false);
  expect(parsed.error?.issues[0]?.path.join(".")).toContain(field);
});
