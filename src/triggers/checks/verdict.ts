import type { Check } from "../../forge/forge.ts";

/** Which checks of a commit count. */
export interface VerdictSettings {
  /** Whether all have to end, and none fail. */
  waitForAll: boolean;
  /** Without `waitForAll`: the one workflow whose runs count (null: the first check that passes is enough). */
  workflow: string | null;
}

/** What all checks of a commit say together. */
export interface Verdict {
  /** `none`: nothing that counts was reported. One that failed outweighs those that are not done. */
  state: "none" | "waiting" | "passed" | "failed";
  failed: Check[];
  waiting: Check[];
  passed: Check[];
}

/**
 * Commit statuses count as check runs do; success, neutral and skipped pass.
 *
 * @param ownAppId Of the App that the hub is: its own checks would wait for themselves.
 */
export function verdictOf(
  checks: readonly Check[],
  { ownAppId, waitForAll, workflow }: VerdictSettings & { ownAppId: number | null },
): Verdict {
  const counted = checks.filter(
    ({ appId, workflowName }) =>
      (appId === null || appId !== ownAppId) &&
      (waitForAll || workflow === null || isNamed(workflowName, workflow)),
  );
  const of = (state: Check["state"]) => counted.filter((one) => one.state === state);
  const sorted = { failed: of("failed"), waiting: of("waiting"), passed: of("passed") };
  return { ...sorted, state: stateOf(sorted, waitForAll || workflow !== null) };
}

function stateOf(
  { failed, waiting, passed }: Omit<Verdict, "state">,
  isPatient: boolean,
): Verdict["state"] {
  if (failed.length > 0) return "failed";
  if (waiting.length > 0 && (isPatient || passed.length === 0)) return "waiting";
  return passed.length > 0 ? "passed" : "none";
}

function isNamed(name: string | null, wanted: string): boolean {
  return name?.toLowerCase() === wanted.toLowerCase();
}
