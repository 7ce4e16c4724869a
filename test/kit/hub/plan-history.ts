import { array, boolean, constant, constantFrom, nat, oneof, record } from "fast-check";

export type Step = { do: string; pick: number };
/** `pushed`: it completed, and left a branch. */
export type Fate = "pushed" | "completed" | "failed";

const anyTasks = array(
  record({
    needs: array(nat(), { maxLength: 3 }),
    type: constantFrom("implementation", "testing", "analysis"),
    files: array(constantFrom("src/**", "docs/a.md"), { maxLength: 1 }),
    policy: oneof(
      constant({ onFailure: "cancel" }),
      constant({ onFailure: "continue" }),
      constant({ onFailure: { retry: 2 } }),
      constant({ attempts: 2, check: "make", type: "implementation" }),
      constant({ attempts: 3, check: "make", onFailure: "continue", type: "testing" }),
    ),
  }),
  { minLength: 1, maxLength: 7 },
).map((nodes) =>
  nodes.map(({ needs, policy, ...node }, index) => ({
    ...node,
    ...policy,
    id: `t${index}`,
    title: `t${index}`,
    requirements: "x",
    needs: index === 0 ? [] : [...new Set(needs.map((need) => `t${need % index}`))],
  })),
);

const step = oneof(
  { weight: 6, arbitrary: record({ do: constant("finish" as const), pick: nat() }) },
  { weight: 2, arbitrary: record({ do: constant("finishTwo" as const), pick: nat() }) },
  // The hub dies in the middle of what it does, or between that and what comes next.
  { weight: 2, arbitrary: record({ do: constant("dieWithin" as const), pick: nat() }) },
  { weight: 2, arbitrary: record({ do: constant("dieAfter" as const), pick: nat() }) },
  { weight: 2, arbitrary: record({ do: constant("say" as const), pick: nat() }) },
  { weight: 2, arbitrary: record({ do: constant("look" as const), pick: nat() }) },
  { weight: 1, arbitrary: record({ do: constant("cancel" as const), pick: nat() }) },
);

/** A plan, and all that may happen while it runs. */
export const anyHistory = record({
  plan: record({ tasks: anyTasks, integrate: boolean() }),
  /** How the sessions end that get a slot, one after the other. */
  fates: array(
    oneof(
      { weight: 4, arbitrary: constant("pushed" as const) },
      { weight: 2, arbitrary: constant("completed" as const) },
      { weight: 1, arbitrary: constant("failed" as const) },
    ),
    { minLength: 1, maxLength: 12 },
  ),
  steps: array(step, { maxLength: 14 }),
  /** After so many steps all is cancelled. */
  stopAfter: oneof({ weight: 3, arbitrary: constant(null) }, { weight: 1, arbitrary: nat(14) }),
});
