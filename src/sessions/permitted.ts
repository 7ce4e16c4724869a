import { policyFor } from "../core/policy.ts";
import type { Policy } from "../core/policy.ts";
import type { StoredSession } from "../store/session-row.ts";
import type { SessionDeps } from "./deps.ts";

/** What a session may do: what its type and the operator allow, and the one branch that it was made to work on. */
export function policyOf(
  { settings }: SessionDeps,
  { type, onto }: Pick<StoredSession, "type" | "onto">,
): Policy {
  const policy = policyFor(type, settings.policy);
  if (onto === null || !policy.edit) return policy;
  return { ...policy, pushBranches: [...policy.pushBranches, onto] };
}
