import { z } from "zod";

/**
 * `owner/name` as GitHub could have it. The older API's pattern, and beyond it: no owner that begins or ends with a
 * hyphen, no name that is a path step (`.`, `..`) or ends in `.git`, GitHub's lengths (39 and 100).
 */
export const Repository = z
  .string()
  .max(140)
  .regex(/^[a-zA-Z0-9-]+\/[a-zA-Z0-9-_.]+$/, "must be owner/name")
  .refine(isPossible, "is not a name that GitHub could have");
export type Repository = z.infer<typeof Repository>;

function isPossible(repository: string): boolean {
  const [owner = "", name = ""] = repository.split("/");
  if (owner.length > 39 || owner.startsWith("-") || owner.endsWith("-")) return false;
  if (name.length > 100 || name.startsWith("-") || /^\.+$/.test(name)) return false;
  return !name.toLowerCase().endsWith(".git");
}

/**
 * A branch name that git accepts and that cannot be taken for an option or a path.
 * Rules: git-check-ref-format(1).
 */
export const Branch = z.string().min(1).max(200).refine(isBranch, "is not a valid branch name");
export type Branch = z.infer<typeof Branch>;

function isBranch(branch: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is being refused
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(branch)) return false;
  if (branch.includes("..") || branch.includes("@{") || branch === "@") return false;
  if (
    branch.startsWith("-") ||
    branch.startsWith("/") ||
    branch.endsWith("/") ||
    branch.endsWith(".")
  )
    return false;
  return branch
    .split("/")
    .every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock"));
}

/** Where people can see a branch. @param serverUrl `GITHUB_SERVER_URL`. */
export function branchUrl(serverUrl: string, repository: Repository, branch: Branch): string {
  const path = branch.split("/").map(encodeURIComponent).join("/");
  return `${serverUrl.replace(/\/+$/, "")}/${repository}/tree/${path}`;
}
