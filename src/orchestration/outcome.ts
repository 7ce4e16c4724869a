import type { OrchestratedSession, Orchestration } from "../core/orchestration.ts";

export interface Outcome {
  state: "completed" | "failed" | "cancelled";
  /** Null when it completed. */
  error: string | null;
  summary: string;
}

/** What brings the work of others together, as people read it. */
export const INTEGRATION_TITLE = "Integration";
const STOPPED = "Cancelled on request";
const ERROR_CHARS = 1_000;

/** What an orchestration came to, all of whose sessions have ended. */
export function outcomeOf(
  orchestration: Orchestration,
  sessions: readonly OrchestratedSession[],
): Outcome {
  const counting = sessions.filter(({ place }) => place === "current" || place === "chosen");
  return orchestration.plan === null
    ? coordinated(orchestration, counting)
    : ofPlan(orchestration, orchestration.plan.tasks, counting);
}

/** Cancelled before the work was brought together. */
export function stopped({ summary }: Outcome): Outcome {
  return { state: "cancelled", error: STOPPED, summary };
}

function coordinated(
  { cancelRequestedAt }: Orchestration,
  sessions: readonly OrchestratedSession[],
): Outcome {
  const first = sessions.find(({ role }) => role === "coordinator");
  const summary = summaryOf(sessions);
  const integrator = sessions.find(({ role }) => role === "integrator");
  const isTogether = integrator === undefined || integrator.status === "completed";
  if (first?.status === "completed" && isTogether)
    return { state: "completed", error: null, summary };
  if (cancelRequestedAt !== null || first?.status === "cancelled")
    return { state: "cancelled", error: first?.error ?? STOPPED, summary };
  const error =
    first?.status === "completed"
      ? `${INTEGRATION_TITLE} failed: ${integrator?.error ?? ""}`
      : `The coordinating session failed: ${first?.error ?? "it is no more"}`;
  return { state: "failed", error: cut(error), summary };
}

/** What became of the sessions that were made by the one that coordinates. */
function summaryOf(sessions: readonly OrchestratedSession[]): string {
  const made = sessions.filter(({ role }) => role !== "coordinator");
  const done = made.filter(({ status }) => status === "completed").length;
  if (made.length === 0) return "The coordinating session made no others";
  return [
    `${done} of ${made.length} sessions completed`,
    ...made
      .filter(({ status }) => status !== "completed")
      .map(
        ({ title, status }) =>
          `${title ?? "One"} ${status === "failed" ? "failed" : "was cancelled"}`,
      ),
  ].join("; ");
}

function ofPlan(
  { cancelRequestedAt }: Orchestration,
  tasks: NonNullable<Orchestration["plan"]>["tasks"],
  sessions: readonly OrchestratedSession[],
): Outcome {
  const own = sessions.filter(({ role }) => role === "task" || role === "integrator");
  const unfinished = own.filter(({ status }) => status !== "completed");
  const mayFail = new Set(
    tasks.filter(({ onFailure }) => onFailure === "continue").map(({ id }) => id),
  );
  const bad = unfinished.filter(({ taskId }) => taskId === null || !mayFail.has(taskId));
  const done = own.filter(({ role, status }) => role === "task" && status === "completed").length;
  const summary = [
    `${done} of ${tasks.length} tasks completed`,
    ...unfinished.map(
      (one) => `${nameOf(one)} ${one.status === "failed" ? "failed" : "was cancelled"}`,
    ),
  ].join("; ");
  if (bad.length === 0 && own.length > 0) return { state: "completed", error: null, summary };
  if (cancelRequestedAt !== null) return { state: "cancelled", error: STOPPED, summary };
  const cause = bad.find(({ status }) => status === "failed") ?? bad[0];
  if (cause === undefined) return { state: "failed", error: "Its sessions are no more", summary };
  const verb = cause.status === "failed" ? "failed" : "was cancelled";
  return { state: "failed", error: cut(`${nameOf(cause)} ${verb}: ${cause.error ?? ""}`), summary };
}

function nameOf({ taskId }: OrchestratedSession): string {
  return taskId === null ? INTEGRATION_TITLE : `Task ${taskId}`;
}

function cut(text: string): string {
  return text.slice(0, ERROR_CHARS).toWellFormed();
}
