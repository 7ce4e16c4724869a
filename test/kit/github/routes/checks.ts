import { z } from "zod";
import {
  addRun,
  addStatus,
  changeRun,
  emitRun,
  emitSuite,
  latestStatuses,
  suiteFor,
} from "../checks.ts";
import type { RunChange, Scene } from "../checks.ts";
import { GitHubError, found, invalid } from "../errors.ts";
import { commitOf, refsOf, resolve } from "../git.ts";
import { repositoryUrl } from "../present/people.ts";
import { runBody, statusBody, suiteBody } from "../present/checks.ts";
import { repositoryBody } from "../present/repository.ts";
import { counted, created, numberIn, ok, page, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { App, CheckRun, CheckSuite } from "../state.ts";

const outputSchema = z.object({
  title: z.string().optional(),
  summary: z.string().optional(),
  text: z.string().optional(),
  annotations: z.array(z.record(z.string(), z.unknown())).max(50).optional(),
});
const runChange = z.object({
  name: z.string().optional(),
  details_url: z.string().optional(),
  external_id: z.string().optional(),
  started_at: z.string().optional(),
  status: z.enum(["queued", "in_progress", "completed"]).optional(),
  conclusion: z.string().optional(),
  completed_at: z.string().optional(),
  output: outputSchema.optional(),
  actions: z
    .array(
      z.object({
        label: z.string().max(20),
        description: z.string().max(40),
        identifier: z.string().max(20),
      }),
    )
    .max(3)
    .optional(),
});
const runRequest = runChange.extend({ name: z.string(), head_sha: z.string() });
const statusRequest = z.object({
  state: z.enum(["error", "failure", "pending", "success"]),
  target_url: z.string().nullish(),
  description: z.string().max(140).nullish(),
  context: z.string().optional(),
});

export const checkRoutes: Route[] = [
  ...repositoryRoutes(["checks:read"], {
    "GET /commits/{ref}/check-runs": async (call) => {
      const sha = await resolve(call.repository, call.params["ref"] ?? "");
      return list(call, runsAt(call, sha));
    },
    "GET /commits/{ref}/check-suites": async (call) => {
      const sha = await resolve(call.repository, call.params["ref"] ?? "");
      const suites = call.repository.suites.filter((each) => each.sha === sha);
      const bodies = await Promise.all(suites.map(async (each) => await suite(call, each)));
      return page(call, bodies, counted("check_suites", bodies.length));
    },
    "GET /check-suites/{check_suite_id}": async (call) => ok(await suite(call, suiteIn(call))),
    "GET /check-suites/{check_suite_id}/check-runs": (call) => list(call, suiteIn(call).runs),
    "GET /check-runs/{check_run_id}": (call) => ok(run(call, runIn(call))),
    "GET /check-runs/{check_run_id}/annotations": (call) => {
      const { world, repository } = call;
      const each = runIn(call);
      const blob_href = `${repositoryUrl(world, repository)}/git/blobs/${each.suite.sha}`;
      const empty = { start_column: null, end_column: null, title: null, raw_details: null };
      return page(
        call,
        each.annotations.map((annotation) => ({ ...empty, ...annotation, blob_href })),
      );
    },
  }),
  ...repositoryRoutes(["checks:write"], {
    "POST /check-runs": async (call) => {
      const asked = read(runRequest, call);
      const app = appOf(call);
      const sha = await commitIn(call, asked.head_sha);
      const refs = await refsOf(call.repository);
      const ref = [...refs].find(([name, tip]) => name.startsWith("refs/heads/") && tip === sha);
      const branch = ref?.[0].replace("refs/heads/", "") ?? null;
      const into = suiteFor(call.world, call.repository, app, sha, branch);
      return created(run(call, await addRun(scene(call), into, asked.name, changeOf(asked))));
    },
    "PATCH /check-runs/{check_run_id}": async (call) => {
      const each = runIn(call);
      if (each.suite.app !== appOf(call)) throw new GitHubError(403, "Invalid app_id `check_run`");
      await changeRun(scene(call), each, changeOf(read(runChange, call)));
      return ok(run(call, each));
    },
    "POST /check-runs/{check_run_id}/rerequest": (call) => {
      const each = runIn(call);
      emitRun(scene(call), each, "rerequested", { only: each.suite.app });
      return created({});
    },
    "POST /check-suites/{check_suite_id}/rerequest": async (call) => {
      const each = suiteIn(call);
      await emitSuite(scene(call), each, "rerequested", each.app);
      return created({});
    },
  }),
  ...repositoryRoutes(["statuses:read"], {
    "GET /commits/{ref}/status": async (call) => {
      const { world, repository, params } = call;
      const sha = await resolve(repository, params["ref"] ?? "");
      const statuses = latestStatuses(repository, sha);
      const url = `${repositoryUrl(world, repository)}/commits/${sha}`;
      return ok({
        state: combined(statuses.map((each) => each.state)),
        statuses: statuses.map((each) => statusBody(world, repository, each)),
        sha,
        total_count: statuses.length,
        commit_url: url,
        url: `${url}/status`,
        repository: repositoryBody(world, repository),
      });
    },
    "GET /commits/{ref}/statuses": async (call) => {
      const { world, repository, params } = call;
      const sha = await resolve(repository, params["ref"] ?? "");
      const all = repository.statuses.filter((each) => each.sha === sha).toReversed();
      return page(
        call,
        all.map((each) => statusBody(world, repository, each)),
      );
    },
  }),
  ...repositoryRoutes(["statuses:write"], {
    "POST /statuses/{sha}": async (call) => {
      const asked = read(statusRequest, call);
      const sha = await commitIn(call, call.params["sha"] ?? "");
      const status = await addStatus(scene(call), {
        sha,
        state: asked.state,
        context: asked.context ?? "default",
        description: asked.description ?? null,
        targetUrl: asked.target_url ?? null,
      });
      return created(statusBody(call.world, call.repository, status));
    },
  }),
];

function combined(states: readonly string[]): string {
  if (states.some((state) => state === "failure" || state === "error")) return "failure";
  return states.length > 0 && states.every((state) => state === "success") ? "success" : "pending";
}

function scene({ world, hooks, repository, user }: RepositoryCall): Scene {
  return { world, hooks, repository, sender: user };
}

function appOf({ app }: RepositoryCall): App {
  if (app === null) throw new GitHubError(403, "You must authenticate via a GitHub App.");
  return app;
}

async function commitIn({ repository }: RepositoryCall, sha: string): Promise<string> {
  try {
    return await resolve(repository, sha);
  } catch {
    throw new GitHubError(422, `No commit found for SHA: ${sha}`);
  }
}

function changeOf(asked: z.infer<typeof runChange>): RunChange {
  const { name, status, conclusion, details_url, external_id, started_at, output, actions } = asked;
  if (status === "completed" && conclusion === undefined) {
    throw invalid("CheckRun", "conclusion", "conclusion is required when the status is completed");
  }
  const { annotations, ...texts } = output ?? {};
  return {
    ...(name === undefined ? {} : { name }),
    ...(status === undefined ? {} : { status }),
    ...(conclusion === undefined ? {} : { conclusion }),
    ...(details_url === undefined ? {} : { detailsUrl: details_url }),
    ...(external_id === undefined ? {} : { externalId: external_id }),
    ...(started_at === undefined ? {} : { startedAt: started_at }),
    ...(actions === undefined ? {} : { actions }),
    output: Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)),
    annotations: annotations ?? [],
  };
}

/** Of runs of one name by one App, the latest; all of them when that is asked for. */
function runsAt({ repository, query }: RepositoryCall, sha: string): CheckRun[] {
  const all = repository.suites.filter((each) => each.sha === sha).flatMap((each) => each.runs);
  if (query.get("filter") === "all") return all;
  const latest = new Map(all.map((each) => [`${each.suite.id} ${each.name}`, each]));
  return [...latest.values()];
}

function list(call: RepositoryCall, runs: readonly CheckRun[]) {
  const name = call.query.get("check_name");
  const app = call.query.get("app_id");
  const status = call.query.get("status");
  const chosen = runs
    .filter((each) => name === null || each.name === name)
    .filter((each) => app === null || String(each.suite.app.id) === app)
    .filter((each) => status === null || each.status === status);
  return page(
    call,
    chosen.map((each) => run(call, each)),
    counted("check_runs", chosen.length),
  );
}

function run({ world, repository }: RepositoryCall, each: CheckRun) {
  return runBody(world, repository, each);
}

async function suite({ world, repository }: RepositoryCall, each: CheckSuite) {
  return suiteBody(world, repository, each, await commitOf(repository, each.sha));
}

function suiteIn(call: RepositoryCall): CheckSuite {
  const id = numberIn(call, "check_suite_id");
  return found(call.repository.suites.find((each) => each.id === id));
}

function runIn(call: RepositoryCall): CheckRun {
  const id = numberIn(call, "check_run_id");
  const runs = call.repository.suites.flatMap((each) => each.runs);
  return found(runs.find((each) => each.id === id));
}
