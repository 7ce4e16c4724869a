import { found } from "../errors.ts";
import { commitOf } from "../git.ts";
import { jobBody, suiteState, workflowRunBody } from "../present/checks.ts";
import { restart } from "../workflows.ts";
import { counted, created, numberIn, ok, page, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { Job, WorkflowRun } from "../state.ts";

const ONE = "/actions/runs/{run_id}";

export const actionsRoutes: Route[] = [
  ...repositoryRoutes(["actions:read"], {
    "GET /actions/runs": async (call) => {
      const { repository, query } = call;
      const sha = query.get("head_sha");
      const branch = query.get("branch");
      const status = query.get("status");
      const runs = repository.runs
        .filter(({ suite }) => sha === null || suite.sha === sha)
        .filter(({ suite }) => branch === null || suite.branch === branch)
        .filter(({ suite }) => {
          const state = suiteState(suite);
          return status === null || state.status === status || state.conclusion === status;
        });
      const bodies = await Promise.all(runs.map(async (each) => await body(call, each)));
      return page(call, bodies.toReversed(), counted("workflow_runs", bodies.length));
    },
    [`GET ${ONE}`]: async (call) => ok(await body(call, runIn(call))),
    [`GET ${ONE}/jobs`]: (call) => {
      const { world, repository } = call;
      const jobs = runIn(call).jobs.map((each) => jobBody(world, repository, each));
      return page(call, jobs, counted("jobs", jobs.length));
    },
    "GET /actions/jobs/{job_id}": (call) => ok(jobBody(call.world, call.repository, jobIn(call))),
    "GET /actions/jobs/{job_id}/logs": (call) => {
      const job = jobIn(call);
      // As on GitHub the log is elsewhere, under an address that needs no token.
      return { status: 302, headers: { location: `${call.world.url}/_logs/${job.id}` } };
    },
  }),
  ...repositoryRoutes(["actions:write"], {
    [`POST ${ONE}/rerun-failed-jobs`]: async (call) => {
      const { world, hooks, repository, user } = call;
      await restart({ world, hooks, repository, sender: user }, runIn(call), true);
      return created({});
    },
    [`POST ${ONE}/rerun`]: async (call) => {
      const { world, hooks, repository, user } = call;
      await restart({ world, hooks, repository, sender: user }, runIn(call), false);
      return created({});
    },
  }),
];

function runIn(call: RepositoryCall): WorkflowRun {
  const id = numberIn(call, "run_id");
  return found(call.repository.runs.find((each) => each.id === id));
}

function jobIn(call: RepositoryCall): Job {
  const id = numberIn(call, "job_id");
  const jobs = call.repository.runs.flatMap((each) => each.jobs);
  return found(jobs.find((each) => each.id === id));
}

async function body({ world, repository }: RepositoryCall, run: WorkflowRun) {
  return workflowRunBody(world, repository, run, await commitOf(repository, run.suite.sha));
}
