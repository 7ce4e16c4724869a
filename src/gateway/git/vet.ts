import type { Id } from "../../core/id.ts";
import { mayPush } from "../../core/policy.ts";
import type { Repository } from "../../core/repository.ts";
import { Branch } from "../../core/repository.ts";
import type { GatewaySession } from "../session.ts";
import { NO_SHA } from "./commands.ts";
import type { RefCommand } from "./commands.ts";
import type { Refs } from "./remote.ts";

/** Whose branch is whose; kept in the store, because it outlives the hub. */
export interface BranchOwnership {
  /** The session that made the branch; null: no session did. */
  owner(repository: Repository, branch: string): Promise<Id | null>;
  /**
   * Makes the session the owner of a branch that nobody owns; false when another session is.
   * @param sha What it is about to push there.
   */
  claim(repository: Repository, branch: string, sessionId: Id, sha: string): Promise<boolean>;
}

const BRANCH_PREFIX = "refs/heads/";

/** The branch that a command names; null for tags and everything else. */
export function branchOf({ ref }: RefCommand): string | null {
  return ref.startsWith(BRANCH_PREFIX) ? ref.slice(BRANCH_PREFIX.length) : null;
}

/** What speaks against a command before its objects are known; null: nothing. */
export async function vetCommand(
  command: RefCommand,
  session: GatewaySession,
  forge: Refs,
  ownership: BranchOwnership,
): Promise<string | null> {
  const branch = branchOf(command);
  const instead = session.workBranch === null ? "" : `; push to ${session.workBranch} instead`;
  if (branch === null) return `only branches may be pushed${instead}`;
  if (command.newSha === NO_SHA) return "branches may not be deleted";
  if (!Branch.safeParse(branch).success) return "not a branch name that the hub accepts";
  // In an empty repository the first branch becomes the default one; these two are what people mean by it.
  const protectedBranches =
    forge.defaultBranch === null ? ["main", "master"] : [forge.defaultBranch];
  if (protectedBranches.includes(branch))
    return `the default branch is never pushed by a session${instead}`;
  if (!mayPush(session.policy, branch)) return `this session may not push this branch${instead}`;
  const present = forge.refs.get(command.ref);
  const owner = await ownership.owner(session.repository, branch);
  if (owner !== null && owner !== session.sessionId)
    return `the branch belongs to another session${instead}`;
  if (owner === null && present !== undefined)
    return `the branch was not made by this session${instead}`;
  if ((present ?? NO_SHA) !== command.oldSha) return "the branch has moved, fetch first";
  return null;
}
