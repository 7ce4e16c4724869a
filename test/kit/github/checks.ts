import { commitOf } from "./git.ts";
import type { Hooks } from "./hooks.ts";
import { runBody, suiteBody, suiteState } from "./present/checks.ts";
import { commitBody } from "./present/repository.ts";
import type { App, CheckRun, CheckSuite, Repository, Status, User } from "./state.ts";
import { nextId, stamp } from "./world.ts";
import type { World } from "./world.ts";

export interface Scene {
  world: World;
  hooks: Hooks;
  repository: Repository;
  sender: User;
}

/** The suite of an App for a commit; there is one. */
export function suiteFor(
  world: World,
  repository: Repository,
  app: App,
  sha: string,
  branch: string | null,
): CheckSuite {
  const known = repository.suites.find((each) => each.app === app && each.sha === sha);
  if (known !== undefined) return known;
  const time = stamp(world);
  const suite = { id: nextId(world), app, sha, branch, createdAt: time, updatedAt: time, runs: [] };
  repository.suites.push(suite);
  return suite;
}

export async function emitSuite(
  { world, hooks, repository, sender }: Scene,
  suite: CheckSuite,
  action: string,
  only?: App,
): Promise<void> {
  const commit = await commitOf(repository, suite.sha);
  const payload = { check_suite: suiteBody(world, repository, suite, commit) };
  hooks.emit({ name: "check_suite", action, sender, repository, only, payload });
}

export type RunChange = Partial<
  Pick<CheckRun, "name" | "status" | "conclusion" | "externalId" | "detailsUrl" | "startedAt">
> & {
  output?: Partial<CheckRun["output"]>;
  annotations?: CheckRun["annotations"];
  actions?: CheckRun["actions"];
};

export async function addRun(
  scene: Scene,
  suite: CheckSuite,
  name: string,
  change: RunChange,
  id: number = nextId(scene.world),
): Promise<CheckRun> {
  const { world } = scene;
  const run: CheckRun = {
    id,
    suite,
    name,
    status: "queued",
    conclusion: null,
    externalId: "",
    detailsUrl: null,
    startedAt: stamp(world),
    completedAt: null,
    output: { title: null, summary: null, text: null },
    annotations: [],
    actions: [],
  };
  suite.runs.push(run);
  apply(world, run, change);
  emitRun(scene, run, "created");
  await afterRun(scene, run);
  return run;
}

export async function changeRun(scene: Scene, run: CheckRun, change: RunChange): Promise<void> {
  const before = run.status;
  apply(scene.world, run, change);
  // An update of a run that is over already tells nobody.
  if (before !== "completed") await afterRun(scene, run);
}

async function afterRun(scene: Scene, run: CheckRun): Promise<void> {
  if (run.status !== "completed") return;
  emitRun(scene, run, "completed");
  run.suite.updatedAt = stamp(scene.world);
  if (suiteState(run.suite).status === "completed") await emitSuite(scene, run.suite, "completed");
}

function apply(world: World, run: CheckRun, { output, annotations, ...change }: RunChange): void {
  Object.assign(run, change);
  Object.assign(run.output, output);
  // Annotations are added to those that are there.
  run.annotations.push(...(annotations ?? []));
  if (run.conclusion !== null) run.status = "completed";
  if (run.status === "completed") run.completedAt ??= stamp(world);
  else run.completedAt = null;
}

export function emitRun(
  { world, hooks, repository, sender }: Scene,
  run: CheckRun,
  action: string,
  more: { only?: App; payload?: Record<string, unknown> } = {},
): void {
  const payload = { check_run: runBody(world, repository, run), ...more.payload };
  hooks.emit({ name: "check_run", action, sender, repository, only: more.only, payload });
}

export async function addStatus(
  { world, hooks, repository, sender }: Scene,
  status: Omit<Status, "id" | "createdAt" | "creator">,
): Promise<Status> {
  const made = { id: nextId(world), createdAt: stamp(world), creator: sender, ...status };
  repository.statuses.push(made);
  const commit = await commitOf(repository, status.sha);
  const { sha, state, context, description, target_url } = {
    ...status,
    target_url: status.targetUrl,
  };
  hooks.emit({
    name: "status",
    sender,
    repository,
    payload: {
      id: made.id,
      sha,
      state,
      context,
      description,
      target_url,
      branches: [],
      name: `${repository.owner.login}/${repository.name}`,
      commit: commitBody(world, repository, commit),
      created_at: made.createdAt,
      updated_at: made.createdAt,
    },
  });
  return made;
}

/** The last status of every context. */
export function latestStatuses(repository: Repository, sha: string): Status[] {
  const latest = new Map<string, Status>();
  for (const status of repository.statuses) {
    if (status.sha === sha) latest.set(status.context, status);
  }
  return [...latest.values()];
}
