import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";
import { graphOf } from "../core/plan-graph.ts";
import type { BranchStore } from "../store/branches.ts";
import { looseEnds } from "./coordinated.ts";
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
  const { project } = orchestration;
  const isEnd = await endsOf(branches, orchestration, sessions);
  const ends = sessions.filter(
    (one) =>
      one.status === "completed" &&
      (one.place === "current" || one.place === "chosen") &&
      (one.role === "integrator" || isEnd(one)),
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

/** Whether nothing else builds on a session's work: the plan says so, or, where there is none, what became of its branches. */
async function endsOf(
  branches: Pick<BranchStore, "ofSessions">,
  orchestration: Orchestration,
  sessions: readonly OrchestratedSession[],
): Promise<(one: OrchestratedSession) => boolean> {
  const { plan } = orchestration;
  if (plan === null) {
    const ids = await looseEnds(branches, orchestration, sessions);
    return ({ sessionId }) => ids.includes(sessionId);
  }
  const { heads } = graphOf(plan);
  return ({ taskId }) => taskId !== null && heads.includes(taskId);
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
