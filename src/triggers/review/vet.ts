import type { ChangedFile } from "../../forge/forge.ts";
import type { FoundComment } from "../../store/threads/reviews.ts";
import { commentable, placeFault } from "./hunks.ts";
import { isSameRemark } from "./likeness.ts";
import type { Remark } from "./likeness.ts";

/** More are noise; what comes first is what matters most. */
export const MAX_COMMENTS = 25;

/** What a finding is held against. */
export interface Ground {
  files: readonly ChangedFile[];
  /** What the bot has said on this pull request before. */
  earlier: readonly Remark[];
  /** What this review has found so far. */
  found: readonly FoundComment[];
}

/** Why a finding is not taken, as the model is told; null: it is. */
export function findingFault(finding: FoundComment, { files, earlier, found }: Ground) {
  if (found.length >= MAX_COMMENTS)
    return `A review has ${MAX_COMMENTS} comments at the most: put what is left into its summary`;
  const fault = lineFault(finding, files);
  if (fault !== null) return fault;
  if (found.some((one) => isSameRemark(one, finding)))
    return "This review says the same there already";
  if (earlier.some((one) => isSameRemark(one, finding)))
    return "An earlier review of yours has said the same there, so it is not said again";
  return null;
}

/** Why GitHub would not take it on its line; null: it would. */
export function lineFault(
  { path, ...place }: Pick<FoundComment, "path" | "line" | "startLine" | "side">,
  files: readonly ChangedFile[],
): string | null {
  const file = files.find((one) => one.path === path);
  if (file === undefined)
    return "This pull request does not change that file: say it in the summary";
  if (file.patch === null)
    return "GitHub shows no lines of that file (binary, or too large): say it in the summary";
  return placeFault(commentable(file.patch), place);
}
