import { expect, test } from "vitest";
import { sandboxName, shortId } from "./id.ts";
import { mayPush, narrowed, policyFor, workBranchFor } from "./policy.ts";
import { createRedaction } from "./redaction.ts";
import { Secret } from "./secret.ts";

const limits = {
  pushBranches: ["claude/*", "bot"],
  pushWorkflows: true,
  maxTokens: 5,
  maxCostUsd: null,
};
const ID = "0198c5b2-7d3a-7000-8000-0123456789ab";

test("those that read push nothing, those that write push what is listed", () => {
  for (const type of ["analysis", "review", "coordination"] as const) {
    const policy = policyFor(type, limits);
    expect(policy).toMatchObject({ edit: false, pushBranches: [], pushWorkflows: false });
    expect(mayPush(policy, "claude/x")).toBe(false);
    expect(workBranchFor(type, ID)).toBeNull();
  }
  const policy = policyFor("testing", limits);
  expect(["claude/x", "bot"].every((branch) => mayPush(policy, branch))).toBe(true);
  expect(["main", "claude", "claudex", "bot/x"].some((branch) => mayPush(policy, branch))).toBe(
    false,
  );
  expect(mayPush(policy, workBranchFor("testing", ID) ?? "")).toBe(true);
});

test("terms take away, and never give", () => {
  const policy = policyFor("implementation", limits);
  const none = { commit: null };
  expect(narrowed(policy, { ...none, toolset: "usual", maxTokens: 9, maxCostUsd: 2 })).toEqual({
    ...policy,
    maxTokens: 5,
    maxCostUsd: 2,
  });
  const commit = { sha: "a".repeat(40), ref: "refs/pull/1/head" };
  const terms = { toolset: "usual", maxTokens: null, maxCostUsd: null, commit } as const;
  expect(narrowed(policy, terms)).toMatchObject({ edit: false, pushBranches: [] });
  expect(narrowed(policy, { ...none, toolset: "none", maxTokens: 3, maxCostUsd: null })).toEqual({
    edit: false,
    pushBranches: [],
    pushWorkflows: false,
    reach: "model",
    maxTokens: 3,
    maxCostUsd: null,
  });
});

test("names hold the random end of the id", () => {
  expect(sandboxName(ID)).toBe("claude-session-0198c5b2-0123456789ab");
  expect(shortId(ID)).toBe("456789ab");
});

test("secrets are made unreadable wherever they stand", () => {
  const redaction = createRedaction([new Secret("top-secret-value"), new Secret("short")]);
  const body = {
    a: ["x top-secret-value y"],
    b: { c: `ghp_${"Z9".repeat(20)}` },
    d: 1,
    e: "short",
    // The long form of installation tokens.
    f: `x ghs_12345_${"eyJ0".repeat(9)}.${"e-_9".repeat(60)}.${"sIg-".repeat(20)} y`,
  };
  expect(redaction.body(body)).toEqual({
    a: ["x *** y"],
    b: { c: "***" },
    d: 1,
    e: "short",
    f: "x *** y",
  });
  expect(`${String(new Secret("x"))} ${JSON.stringify({ s: new Secret("x") })}`).toBe(
    '*** {"s":"***"}',
  );
});
