import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";
import { graphOf } from "../core/plan-graph.ts";
import type { BranchStore } from "../store/branches.ts";
import type { FinishedWork } from "./deps.ts";
import type { Outcome } from "./outcome.ts";

const TITLE_CHARS = 200;

/**
 * The branch that has the work of all: that of the session that brought it together, or, where nothing had to be, the only
 * one that nothing else builds on.
 */
export async function resultBranch(
  branches: Pick<BranchStore, "ofSessions">,
  { plan, project }: Orchestration,
  sessions: readonly OrchestratedSession[],
): Promise<string | null> {
  if (plan === null) return null;
  const heads = graphOf(plan).heads;
  const ends = sessions.filter(
    ({ role, taskId, place, status }) =>
      status === "completed" &&
      (place === "current" || place === "chosen") &&
      (role === "integrator" || (taskId !== null && heads.includes(taskId))),
  );
  const pushed = await branches.ofSessions(
    project.repository,
    ends.map(({ sessionId }) => sessionId),
  );
  const found = ends.filter(({ sessionId, workBranch }) =>
    pushed.some((one) => one.sessionId === sessionId && one.branch === workBranch),
  );
  const integrated = found.find(({ role }) => role === "integrator");
  if (integrated !== undefined) return integrated.workBranch;
  const [only, ...others] = found;
  return only === undefined || others.length > 0 ? null : only.workBranch;
}

/** What is to be opened as a pull request; null: nothing. */
export function finishedWork(
  { plan, project, id }: Orchestration,
  { state, summary }: Outcome,
  branch: string | null,
): FinishedWork | null {
  if (plan === null || !plan.pullRequest || branch === null || state !== "completed") return null;
  const [first = ""] = (plan.summary || project.requirements).trim().split(/\n|(?<=\.)\s/);
  return {
    orchestrationId: id,
    repository: project.repository,
    branch,
    base: project.branch ?? null,
    title: first.slice(0, TITLE_CHARS).toWellFormed(),
    body: [
      ...(plan.summary === "" ? [] : [plan.summary]),
      plan.tasks.map(({ title }) => `- ${title.replaceAll("\n", " ")}`).join("\n"),
      `${summary} (orchestration ${id}).`,
    ].join("\n\n"),
  };
}
