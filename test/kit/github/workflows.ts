import { addRun, changeRun, emitSuite, suiteFor } from "./checks.ts";
import type { Scene } from "./checks.ts";
import { commitOf } from "./git.ts";
import { jobBody, suiteState, workflowRunBody } from "./present/checks.ts";
import { pageUrl } from "./present/people.ts";
import type { App, Job, WorkflowRun } from "./state.ts";
import { addApp, nextId } from "./world.ts";
import type { World } from "./world.ts";

/** GitHub's own App, which runs workflows, has this number everywhere. */
const ACTIONS_ID = 15_368;

export interface JobOutcome {
  name: string;
  /** Without it the job has not ended. */
  conclusion?: string;
  log?: string;
}

/** Begins a workflow for a commit: a suite, and a job with a check run for each. */
export async function startWorkflow(
  scene: Scene,
  settings: {
    workflow: string;
    event: string;
    sha: string;
    branch: string | null;
    jobs: JobOutcome[];
  },
): Promise<WorkflowRun> {
  const { world, repository, sender } = scene;
  const { workflow, event, sha, branch } = settings;
  const same = repository.runs.filter((each) => each.name === workflow);
  const actions = actionsApp(world);
  // One App has one suite for a commit, but each workflow its own.
  const known = repository.runs.some(({ suite }) => suite.sha === sha);
  const suite = known
    ? { ...suiteFor(world, repository, actions, sha, branch), id: nextId(world), runs: [] }
    : suiteFor(world, repository, actions, sha, branch);
  if (known) repository.suites.push(suite);
  const run: WorkflowRun = {
    id: nextId(world),
    workflowId: same[0]?.workflowId ?? nextId(world),
    name: workflow,
    number: same.length + 1,
    attempt: 1,
    event,
    suite,
    jobs: [],
    actor: sender,
  };
  repository.runs.push(run);
  await emitSuiteAndRun(scene, run, "requested");
  for (const { name } of settings.jobs) {
    // GitHub gives a job and its check one number, and the check the job's page.
    const id = nextId(world);
    const detailsUrl = `${pageUrl(world, repository)}/actions/runs/${run.id}/job/${id}`;
    const job: Job = {
      id,
      run,
      check: await addRun(scene, suite, name, { detailsUrl }, id),
      log: "",
    };
    run.jobs.push(job);
    emitJob(scene, job, "queued");
  }
  await emitRun(scene, run, "in_progress");
  for (const job of run.jobs) {
    await changeRun(scene, job.check, { status: "in_progress" });
    emitJob(scene, job, "in_progress");
  }
  for (const outcome of settings.jobs) await endJob(scene, run, outcome);
  return run;
}

export async function endJob(scene: Scene, run: WorkflowRun, outcome: JobOutcome): Promise<void> {
  const job = run.jobs.findLast((each) => each.check.name === outcome.name);
  if (job === undefined) throw new Error(`${run.name} has no job ${outcome.name}`);
  const { conclusion, log } = outcome;
  job.log = log ?? job.log;
  if (conclusion === undefined) return;
  await changeRun(scene, job.check, { status: "completed", conclusion });
  emitJob(scene, job, "completed");
  if (suiteState(run.suite).status === "completed") await emitRun(scene, run, "completed");
}

/** Lets jobs run again; they wait until the test ends them. */
export async function restart(scene: Scene, run: WorkflowRun, failed: boolean): Promise<void> {
  run.attempt += 1;
  for (const job of run.jobs) {
    if (failed && job.check.conclusion === "success") continue;
    run.suite.runs = run.suite.runs.filter((each) => each !== job.check);
    job.check = await addRun(scene, run.suite, job.check.name, {});
    emitJob(scene, job, "queued");
  }
  await emitRun(scene, run, "requested");
}

function actionsApp(world: World): App {
  const known = world.apps.find((each) => each.id === ACTIONS_ID);
  if (known !== undefined) return known;
  const permissions = { checks: "write", contents: "write" } as const;
  const settings = { slug: "github-actions", owner: "github", permissions, events: [] };
  return addApp(world, { id: ACTIONS_ID, ...settings });
}

async function emitSuiteAndRun(scene: Scene, run: WorkflowRun, action: string): Promise<void> {
  await emitSuite(scene, run.suite, action, run.suite.app);
  await emitRun(scene, run, action);
}

async function emitRun(scene: Scene, run: WorkflowRun, action: string): Promise<void> {
  const { world, hooks, repository, sender } = scene;
  const commit = await commitOf(repository, run.suite.sha);
  const workflow = {
    id: run.workflowId,
    name: run.name,
    path: `.github/workflows/${run.name}.yml`,
  };
  const payload = { workflow_run: workflowRunBody(world, repository, run, commit), workflow };
  hooks.emit({ name: "workflow_run", action, sender, repository, payload });
}

function emitJob({ world, hooks, repository, sender }: Scene, job: Job, action: string): void {
  const payload = { workflow_job: jobBody(world, repository, job) };
  hooks.emit({ name: "workflow_job", action, sender, repository, payload });
}
