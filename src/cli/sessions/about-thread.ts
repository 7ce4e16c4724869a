import type { NewSession } from "../../core/session.ts";

/** What the agent is told of the issue or the pull request, as a fact beside the request. */
export function aboutThread(
  repository: string,
  { issue, pr }: { issue?: number | undefined; pr?: number | boolean | undefined },
): { context: string; metadata: NonNullable<NewSession["metadata"]> } | null {
  if (issue !== undefined)
    return { context: `This is about issue #${issue} of ${repository}.`, metadata: { issue } };
  if (pr === undefined || pr === false) return null;
  if (pr === true)
    return { context: `This is about a pull request of ${repository}.`, metadata: { pr } };
  return { context: `This is about pull request #${pr} of ${repository}.`, metadata: { pr } };
}
