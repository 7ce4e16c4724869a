import { narrowed, policyFor, withinBudget, workBranchFor } from "../../core/policy.ts";
import type { Policy } from "../../core/policy.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import type { SessionDeps } from "../deps.ts";

/** What a session may do: what its type and the operator allow, and the one branch that it was made to work on. */
export function policyOf(
  { settings }: SessionDeps,
  { type, onto, terms, options }: Pick<StoredSession, "type" | "onto" | "terms" | "options">,
): Policy {
  const granted = narrowed(policyFor(type, settings.policy), terms);
  const policy = withinBudget(granted, options.budget);
  if (onto === null || !policy.edit) return policy;
  return { ...policy, pushBranches: [...policy.pushBranches, onto] };
}

/** The branch that a session is given to push, or null when it may push nothing. */
export function ownBranchOf({
  type,
  id,
  terms,
}: Pick<StoredSession, "type" | "id" | "terms">): string | null {
  return terms.toolset === "none" ? null : workBranchFor(type, id);
}
