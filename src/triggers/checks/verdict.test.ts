import { expect, test } from "vitest";
import type { Check } from "../../forge/forge.ts";
import { verdictOf } from "./verdict.ts";

const ALL = { ownAppId: 7, waitForAll: true, workflow: null };
const FIRST = { ...ALL, waitForAll: false };
const CI = { ...FIRST, workflow: "Pull Request CI" };

function check(state: Check["state"], more: Partial<Check> = {}): Check {
  return {
    name: "test",
    appId: 1,
    state,
    conclusion: null,
    workflowRunId: null,
    workflowName: null,
    jobId: null,
    url: null,
    ...more,
  };
}

test.each([
  ["nothing was reported", [], "none"],
  ["only the hub's own", [check("waiting", { appId: 7 })], "none"],
  ["all passed", [check("passed"), check("passed", { conclusion: "neutral" })], "passed"],
  ["one is not done", [check("passed"), check("waiting")], "waiting"],
  ["one failed", [check("passed"), check("failed")], "failed"],
  ["one failed and one is not done", [check("waiting"), check("failed")], "failed"],
  ["a status alone", [check("passed", { appId: null })], "passed"],
  ["a status that waits", [check("passed"), check("waiting", { appId: null })], "waiting"],
  ["the hub's own failed", [check("passed"), check("failed", { appId: 7 })], "passed"],
] as const)("all checks: %s", (_what, checks, state) => {
  expect(verdictOf(checks, ALL).state).toBe(state);
});

test("a hub that is no App still counts statuses", () => {
  const checks = [check("passed"), check("failed", { appId: null })];
  expect(verdictOf(checks, { ...ALL, ownAppId: null }).state).toBe("failed");
});

test("what failed, waits and passed is told", () => {
  const [failed, waiting, passed] = [check("failed"), check("waiting"), check("passed")];
  const found = verdictOf([failed, waiting, passed], ALL);
  expect(found).toEqual({
    state: "failed",
    failed: [failed],
    waiting: [waiting],
    passed: [passed],
  });
});

test("without waiting for all, the first that passes is enough, and one that fails is too much", () => {
  expect(verdictOf([check("passed"), check("waiting")], FIRST).state).toBe("passed");
  expect(verdictOf([check("waiting")], FIRST).state).toBe("waiting");
  expect(verdictOf([check("passed"), check("failed")], FIRST).state).toBe("failed");
});

test("of one workflow only its runs count, and all of them", () => {
  const ours = { workflowName: "pull request ci" };
  const other = check("failed", { workflowName: "Deploy" });
  expect(verdictOf([other], CI).state).toBe("none");
  expect(verdictOf([other, check("passed", ours)], CI).state).toBe("passed");
  expect(verdictOf([check("passed", ours), check("waiting", ours)], CI).state).toBe("waiting");
  expect(verdictOf([check("passed"), check("failed", ours)], CI).state).toBe("failed");
  expect(verdictOf([other, check("passed", ours)], { ...CI, waitForAll: true }).state).toBe(
    "failed",
  );
});
