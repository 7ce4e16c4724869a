import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";
import type { BranchStore } from "../store/sessions/branches.ts";
import { looseEnds, pushedBy } from "./integration.ts";
import type { FinishedWork } from "./deps.ts";
import type { Outcome } from "./outcome.ts";

const TITLE_CHARS = 200;

/**
 * The branch that has the work of all: that of the session that brought it together, or, where nothing had to be, the only
 * one that nothing else builds on.
 */
export async function resultBranch(
  branches: Pick<BranchStore, "ofSessions">,
  orchestration: Orchestration,
  sessions: readonly OrchestratedSession[],
): Promise<string | null> {
  const integrators = sessions.filter(({ role }) => role === "integrator");
  const [integrated] = await pushedBy(branches, orchestration, integrators);
  if (integrated !== undefined) return integrated.workBranch;
  const [only, ...others] = await looseEnds(branches, orchestration, sessions);
  return only === undefined || others.length > 0 ? null : only.workBranch;
}

/** What is to be opened as a pull request; null: nothing. */
export function finishedWork(
  { plan, project, id }: Orchestration,
  { state, summary }: Outcome,
  done: {
    branch: string | null;
    /** Of the session that coordinated, if one has. */
    report: string;
    sessions: readonly OrchestratedSession[];
  },
): FinishedWork | null {
  const { branch } = done;
  if (branch === null || state !== "completed" || plan?.pullRequest === false) return null;
  const [first = ""] = (plan?.summary || project.requirements).trim().split(/\n|(?<=\.)\s/);
  const said = plan === null ? done.report : plan.summary;
  const titles =
    plan === null
      ? done.sessions.filter(isDoneTask).map(({ title }) => title ?? "")
      : plan.tasks.map(({ title }) => title);
  return {
    orchestrationId: id,
    repository: project.repository,
    branch,
    base: project.branch ?? null,
    title: first.slice(0, TITLE_CHARS).toWellFormed(),
    body: [
      ...(said === "" ? [] : [said]),
      titles.map((title) => `- ${title.replaceAll("\n", " ")}`).join("\n"),
      `${summary} (orchestration ${id}).`,
    ].join("\n\n"),
  };
}

function isDoneTask({ role, status, place }: OrchestratedSession): boolean {
  return role === "task" && status === "completed" && place !== "replaced";
}
