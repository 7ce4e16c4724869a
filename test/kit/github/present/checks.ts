import type { CommitInfo } from "../git.ts";
import type { CheckRun, CheckSuite, Job, Json, Repository, Status, WorkflowRun } from "../state.ts";
import type { World } from "../world.ts";
import { appBody, nodeId, pageUrl, repositoryUrl, userBody } from "./people.ts";
import { isPull, minimalPullBody } from "./pull.ts";
import { repositoryBody, simpleCommitBody } from "./repository.ts";

export function suiteState(suite: CheckSuite): { status: string; conclusion: string | null } {
  const { runs } = suite;
  if (runs.length === 0) return { status: "queued", conclusion: null };
  if (runs.some((run) => run.status === "in_progress")) {
    return { status: "in_progress", conclusion: null };
  }
  if (runs.some((run) => run.status !== "completed")) return { status: "queued", conclusion: null };
  const worst = ["action_required", "cancelled", "timed_out", "failure"].find((conclusion) =>
    runs.some((run) => run.conclusion === conclusion),
  );
  const passed = runs.some((run) => run.conclusion === "success") ? "success" : null;
  return { status: "completed", conclusion: worst ?? passed ?? runs[0]?.conclusion ?? null };
}

/** Pull requests from the repository itself whose head this is; of forks GitHub says nothing here. */
function pullsAt(world: World, repository: Repository, sha: string): Json[] {
  return repository.issues
    .filter(isPull)
    .filter(({ pull }) => pull.headSha === sha && pull.headRepository === repository)
    .filter((issue) => issue.state === "open")
    .map((issue) => minimalPullBody(world, repository, issue));
}

export function suiteBody(
  world: World,
  repository: Repository,
  suite: CheckSuite,
  commit: CommitInfo,
): Json {
  const url = `${repositoryUrl(world, repository)}/check-suites/${suite.id}`;
  return {
    id: suite.id,
    node_id: nodeId("CS", suite.id),
    head_branch: suite.branch,
    head_sha: suite.sha,
    ...suiteState(suite),
    url,
    before: commit.parents[0] ?? null,
    after: suite.sha,
    pull_requests: pullsAt(world, repository, suite.sha),
    app: appBody(world, suite.app),
    repository: repositoryBody(world, repository),
    created_at: suite.createdAt,
    updated_at: suite.updatedAt,
    head_commit: simpleCommitBody(commit),
    latest_check_runs_count: suite.runs.length,
    check_runs_url: `${url}/check-runs`,
  };
}

export function runBody(world: World, repository: Repository, run: CheckRun): Json {
  const url = `${repositoryUrl(world, repository)}/check-runs/${run.id}`;
  const page = `${pageUrl(world, repository)}/runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId("CR", run.id),
    head_sha: run.suite.sha,
    external_id: run.externalId,
    url,
    html_url: page,
    details_url: run.detailsUrl ?? page,
    name: run.name,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      ...run.output,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suite.id },
    app: appBody(world, run.suite.app),
    pull_requests: pullsAt(world, repository, run.suite.sha),
  };
}

export function statusBody(world: World, repository: Repository, status: Status): Json {
  return {
    url: `${repositoryUrl(world, repository)}/statuses/${status.sha}`,
    avatar_url: `${world.url}/avatars/u/${status.creator.id}`,
    id: status.id,
    node_id: nodeId("SC", status.id),
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator: userBody(world, status.creator),
  };
}

export function workflowRunBody(
  world: World,
  repository: Repository,
  run: WorkflowRun,
  commit: CommitInfo,
): Json {
  const base = `${repositoryUrl(world, repository)}/actions`;
  const url = `${base}/runs/${run.id}`;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId("WFR", run.id),
    head_branch: run.suite.branch,
    head_sha: run.suite.sha,
    path: `.github/workflows/${run.name}.yml`,
    display_title: commit.message.split("\n")[0] ?? "",
    run_number: run.number,
    run_attempt: run.attempt,
    event: run.event,
    ...suiteState(run.suite),
    workflow_id: run.workflowId,
    check_suite_id: run.suite.id,
    check_suite_node_id: nodeId("CS", run.suite.id),
    url,
    html_url: `${pageUrl(world, repository)}/actions/runs/${run.id}`,
    pull_requests: pullsAt(world, repository, run.suite.sha),
    created_at: run.suite.createdAt,
    updated_at: run.suite.updatedAt,
    run_started_at: run.suite.createdAt,
    actor: userBody(world, run.actor),
    triggering_actor: userBody(world, run.actor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${repositoryUrl(world, repository)}/check-suites/${run.suite.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${base}/workflows/${run.workflowId}`,
    head_commit: simpleCommitBody(commit),
    repository: repositoryBody(world, repository),
    head_repository: repositoryBody(world, repository),
  };
}

export function jobBody(world: World, repository: Repository, job: Job): Json {
  const base = repositoryUrl(world, repository);
  const { run, check } = job;
  return {
    id: job.id,
    run_id: run.id,
    run_url: `${base}/actions/runs/${run.id}`,
    run_attempt: run.attempt,
    node_id: nodeId("J", job.id),
    head_sha: run.suite.sha,
    head_branch: run.suite.branch,
    workflow_name: run.name,
    url: `${base}/actions/jobs/${job.id}`,
    html_url: `${pageUrl(world, repository)}/actions/runs/${run.id}/job/${job.id}`,
    status: check.status,
    conclusion: check.conclusion,
    created_at: check.startedAt,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    name: check.name,
    steps: [],
    check_run_url: `${base}/check-runs/${check.id}`,
    labels: ["ubuntu-latest"],
    runner_id: 1,
    runner_name: "runner",
    runner_group_id: 1,
    runner_group_name: "Default",
  };
}
