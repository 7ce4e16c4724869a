import type { z } from "zod";
import { HubError } from "../../core/errors.ts";
import type { Check } from "../forge.ts";
import { CheckRunAnswer, StatusAnswer, WorkflowRunAnswer } from "./mapping.ts";
import type { WorkflowRun } from "./mapping.ts";

const MAX_PAGES = 10;

type List = <T>(
  schema: z.ZodType<T>,
  route: string,
  parameters: Record<string, unknown>,
  more: { maxPages: number; key?: string },
) => Promise<T[]>;

/** Check runs and commit statuses of a commit, as one list. */
export async function checksAt(list: List, sha: string): Promise<Check[]> {
  const route = "/commits/{sha}/check-runs";
  const checks = await list(CheckRunAnswer, route, { sha, filter: "latest" }, paged("check_runs"));
  const statuses = await list(StatusAnswer, "/commits/{sha}/status", { sha }, paged("statuses"));
  const runs = await workflowRuns();
  return [...withWorkflows(checks, runs), ...statuses];

  /** None where Actions are switched off, or not for the bot to see. */
  async function workflowRuns(): Promise<WorkflowRun[]> {
    try {
      const more = paged("workflow_runs");
      return await list(WorkflowRunAnswer, "/actions/runs", { head_sha: sha }, more);
    } catch (error) {
      if (error instanceof HubError && ["not_found", "forbidden"].includes(error.code)) return [];
      throw error;
    }
  }
}

function paged(key: string): { maxPages: number; key: string } {
  return { maxPages: MAX_PAGES, key };
}

/**
 * Each check with the name of the workflow that it is of. A job that waits for another one has no check before its time, so a
 * run that goes on waits as a whole.
 */
function withWorkflows(checks: readonly Check[], runs: readonly WorkflowRun[]): Check[] {
  const named = checks.map((check) => {
    const run = runs.find(({ id }) => id === check.workflowRunId);
    return run === undefined ? check : { ...check, workflowName: run.name };
  });
  const going = runs.filter(
    ({ id, isDone }) =>
      !isDone && !checks.some((one) => one.workflowRunId === id && one.state === "waiting"),
  );
  const waiting = going.map(({ id, name, url }): Check => ({
    name,
    appId: null,
    state: "waiting",
    conclusion: null,
    workflowRunId: id,
    workflowName: name,
    jobId: null,
    url,
  }));
  return [...named, ...waiting];
}
