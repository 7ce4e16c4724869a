import { z } from "zod";
import { shortId } from "./id.ts";
import type { Id } from "./id.ts";
import type { SessionBudget, SessionType } from "./session.ts";
import type { SessionTerms } from "./session-terms.ts";

/** What a session may do; fixed when it gets its slot, enforced by the doors, told to the agent. */
export const Policy = z.object({
  /** May the agent change files? */
  edit: z.boolean(),
  /** Patterns of branches that may be pushed (`*` at the end stands for anything); empty: no push at all. */
  pushBranches: z.array(z.string()),
  /** May a push change `.github/workflows`? */
  pushWorkflows: z.boolean(),
  maxTokens: z.int().positive().nullable(),
  maxCostUsd: z.number().positive().nullable(),
  /** Of work; the time limit of the session holds besides. */
  maxMinutes: z.number().positive().nullable().optional(),
  /** `model`: neither the repository nor any other host. */
  reach: z.enum(["usual", "model"]).default("usual"),
});
export type Policy = z.infer<typeof Policy>;

/** Types that change the repository; the others read, think and report. */
const WRITERS: readonly SessionType[] = ["implementation", "testing"];

export function writes(type: SessionType): boolean {
  return WRITERS.includes(type);
}

export function policyFor(
  type: SessionType,
  limits: {
    pushBranches: string[];
    pushWorkflows: boolean;
    maxTokens: number | null;
    maxCostUsd: number | null;
  },
): Policy {
  const isWriter = writes(type);
  return {
    edit: isWriter,
    pushBranches: isWriter ? limits.pushBranches : [],
    pushWorkflows: isWriter && limits.pushWorkflows,
    maxTokens: limits.maxTokens,
    maxCostUsd: limits.maxCostUsd,
    reach: "usual",
  };
}

type Terms = Omit<SessionTerms, "answerSchema" | "model" | "check" | "fork">;

/** What terms leave of a policy: they take away and never give. */
export function narrowed(
  policy: Policy,
  { toolset, commit, maxTokens, maxCostUsd }: Terms,
): Policy {
  const within = {
    ...policy,
    ...(commit === null ? {} : { edit: false, pushBranches: [], pushWorkflows: false }),
    maxTokens: least(policy.maxTokens, maxTokens),
    maxCostUsd: least(policy.maxCostUsd, maxCostUsd),
  };
  if (toolset !== "none") return within;
  return { ...within, edit: false, pushBranches: [], pushWorkflows: false, reach: "model" };
}

type NullableBudget = { [What in keyof SessionBudget]?: SessionBudget[What] | null };

/** What another budget leaves of it, the caller's own or that of all the sessions that it belongs to. */
export function withinBudget(
  policy: Policy,
  { tokens, costUsd, minutes }: NullableBudget = {},
): Policy {
  const maxMinutes = least(policy.maxMinutes ?? null, minutes ?? null);
  return {
    ...policy,
    ...(maxMinutes === null ? {} : { maxMinutes }),
    maxTokens: least(policy.maxTokens, tokens ?? null),
    maxCostUsd: least(policy.maxCostUsd, costUsd ?? null),
  };
}

function least(...limits: (number | null)[]): number | null {
  const set = limits.filter((limit) => limit !== null);
  return set.length === 0 ? null : Math.min(...set);
}

/** The branch that a session's work goes to, or null when its type does not push. */
export function workBranchFor(type: SessionType, sessionId: Id): string | null {
  return writes(type) ? `claude/${type}-${shortId(sessionId)}` : null;
}

export function mayPush(policy: Policy, branch: string): boolean {
  return policy.pushBranches.some((pattern) =>
    pattern.endsWith("*") ? branch.startsWith(pattern.slice(0, -1)) : branch === pattern,
  );
}
