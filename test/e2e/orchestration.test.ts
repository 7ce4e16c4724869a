import { expect, test } from "vitest";
import { z } from "zod";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const View = z.object({
  id: z.string(),
  state: z.string(),
  error: z.string().nullable(),
  summary: z.string().nullable(),
  planVersion: z.number(),
  branch: z.string().nullable(),
  pullRequestUrl: z.string().nullable(),
  plan: z.object({ tasks: z.array(z.looseObject({ id: z.string() })) }).nullable(),
  edges: z.array(z.object({ task: z.string(), after: z.string(), why: z.string() })),
  sessions: z.array(
    z.object({
      sessionId: z.string(),
      role: z.string().nullable(),
      taskId: z.string().nullable(),
      status: z.string(),
      error: z.string().nullable(),
      workBranch: z.string().nullable(),
    }),
  ),
});
type View = z.infer<typeof View>;

async function call(hub: TestHub, method: string, path: string, body?: unknown) {
  const answer = await hub.fetch(`/api/v1/orchestrations${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: answer.status, body: z.json().parse(await answer.json()) };
}

const viewOf = async (hub: TestHub, id: string): Promise<View> =>
  View.parse((await call(hub, "GET", `/${id}`)).body);

const both = (view: View) =>
  view.sessions.filter(
    ({ taskId, status }) => status === "running" && (taskId === "french" || taskId === "german"),
  ).length === 2;

/** The stand-in that merges takes its orders from what the tasks before it have said. */
const MERGE = standIn(
  {
    run: "for b in $(git for-each-ref --format='%(refname)' refs/remotes/origin/claude); do git merge -q --no-edit $b; done",
  },
  { result: { summary: "All is together now." } },
);

function writes(id: string, more: Record<string, unknown> = {}) {
  const work = standIn(
    { sleepMs: 1_500 },
    { write: { path: `${id}.txt`, content: id } },
    { commit: `Add ${id}` },
    { result: { summary: `Added ${id}.\n${MERGE}` } },
  );
  return {
    id,
    title: `Write ${id}`,
    requirements: `Write it.\n${work}`,
    check: `test -f ${id}.txt`,
    ...more,
  };
}

const look = standIn({ result: { summary: "It is in the root." } });
const TASKS = [
  { id: "look", title: "Look around", type: "analysis", requirements: `Look.\n${look}` },
  writes("french", { needs: ["look"], files: ["french.txt"] }),
  writes("german", { needs: ["look"], files: ["german.txt"] }),
  writes("docs", { needs: ["french"] }),
];

test(
  "a request is planned, approved, done by four sessions while the hub is killed, merged, and one pull request",
  { timeout: 240_000 },
  async () => {
    await using house = await openGitHubHouse({
      env: {
        CLAUDE_HUB_MAX_SESSIONS: "4",
        CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4",
        CLAUDE_HUB_PLAN_MAX_TASKS: "5",
      },
    });
    const { hub } = house;
    const answer = { summary: "Greetings in two languages.", tasks: TASKS };
    const project = {
      repository: REPOSITORY,
      requirements: `Greet in two languages.\n${standIn({ result: { answer } })}`,
    };
    const broken = [...TASKS.slice(0, 3), writes("docs", { needs: ["french", "ghost"] })];
    expect(await call(hub, "POST", "", { project, plan: { tasks: broken } })).toMatchObject({
      status: 400,
      body: { detail: "plan.tasks.3.needs.1: there is no task ghost" },
    });
    expect(
      await call(hub, "POST", "", {
        project,
        plan: { tasks: [{ ...TASKS[0], type: "coordination" }] },
      }),
    ).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/^plan\.tasks\.0\.type: /) },
    });

    const made = await call(hub, "POST", "", { project, plan: "propose" });
    expect(made).toMatchObject({ status: 201, body: { state: "proposing" } });
    const { orchestrationId: id } = z.object({ orchestrationId: z.string() }).parse(made.body);
    const proposed = await waitFor(
      async () => {
        const view = await viewOf(hub, id);
        return view.state === "proposing" ? undefined : view;
      },
      { timeoutMs: 60_000, what: "the plan" },
    );
    expect(proposed).toMatchObject({ state: "proposed", error: null, planVersion: 1 });
    expect(proposed.edges).toHaveLength(3);

    const plan = { ...answer, summary: "Greetings in French and German." };
    expect(await call(hub, "PUT", `/${id}/plan`, { plan, version: 1 })).toMatchObject({
      status: 200,
      body: { planVersion: 2 },
    });
    expect(await call(hub, "PUT", `/${id}/plan`, { plan, version: 1 })).toMatchObject({
      status: 409,
    });
    expect(await call(hub, "POST", `/${id}/approve`, { version: 1 })).toMatchObject({
      status: 409,
    });
    expect(await call(hub, "POST", `/${id}/approve`, { version: 2 })).toMatchObject({
      status: 200,
      body: { state: "running" },
    });

    await waitFor(async () => both(await viewOf(hub, id)), {
      timeoutMs: 60_000,
      what: "two to be at work side by side",
    });
    await hub.kill();
    await hub.restart();
    house.connect();

    const view = await waitFor(
      async () => {
        const now = await viewOf(hub, id);
        return now.state === "running" ? undefined : now;
      },
      { timeoutMs: 120_000, what: "the orchestration to end" },
    );
    expect(view).toMatchObject({
      state: "completed",
      error: null,
      summary: "4 of 4 tasks completed",
    });
    for (const { sessionId } of view.sessions) {
      const kinds = (await hub.events(sessionId)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "agent.started")).toHaveLength(1);
    }
    const find = (name: string) =>
      view.sessions.find(({ taskId, role }) => taskId === name || role === name);
    const checks = await hub.events(find("german")?.sessionId ?? "");
    expect(checks.find(({ kind }) => kind === "check.finished")?.body).toMatchObject({
      exitCode: 0,
    });
    const integrator = find("integrator");
    expect(view.branch).toBe(integrator?.workBranch);
    const diff = await hub.fetch(`/api/v1/sessions/${integrator?.sessionId ?? ""}/diff`);
    const text = await diff.text();
    for (const name of ["french", "german", "docs"]) expect(text).toContain(`+++ b/${name}.txt`);
    expect(house.pulls()).toMatchObject([
      { head: view.branch, isDraft: true, title: "Greetings in French and German." },
    ]);
    expect(view.pullRequestUrl).toMatch(/\/pull\/1$/);
    const page = await call(hub, "GET", `?state=completed&repository=${REPOSITORY}`);
    expect(page.body).toMatchObject({ orchestrations: [{ id, state: "completed" }] });
  },
);

/** A plan that runs at once; answers its id. */
async function run(hub: TestHub, tasks: unknown[]): Promise<string> {
  const made = await call(hub, "POST", "", {
    project: { repository: REPOSITORY, requirements: "Write." },
    autoStart: true,
    plan: { tasks },
  });
  return z.object({ orchestrationId: z.string() }).parse(made.body).orchestrationId;
}

const ended = async (hub: TestHub, id: string): Promise<View> =>
  await waitFor(
    async () => {
      const now = await viewOf(hub, id);
      return now.state === "running" ? undefined : now;
    },
    { timeoutMs: 90_000, what: "the orchestration to end" },
  );

const says = (id: string) => ({
  id,
  title: `Say ${id}`,
  requirements: `Say it.\n${standIn({ result: { summary: "There is nothing to do." } })}`,
});

test(
  "branches are brought together where there are several, and nobody is asked to where there are not",
  { timeout: 240_000 },
  async () => {
    await using house = await openGitHubHouse({
      env: { CLAUDE_HUB_MAX_SESSIONS: "4", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4" },
    });
    const { hub } = house;
    const [none, single] = await Promise.all([
      run(hub, [says("french"), says("german")]),
      run(hub, [says("french"), writes("german")]),
    ]);
    const nothing = await ended(hub, none);
    expect(nothing).toMatchObject({ state: "completed", branch: null, pullRequestUrl: null });
    expect(nothing.sessions.map(({ role }) => role)).toEqual(["task", "task"]);
    const one = await ended(hub, single);
    expect(one.sessions.map(({ role }) => role)).toEqual(["task", "task"]);
    const german = one.sessions.find(({ taskId }) => taskId === "german");
    expect(one).toMatchObject({ state: "completed", branch: german?.workBranch });
    expect(house.pulls()).toMatchObject([{ head: german?.workBranch }]);

    const double = await run(hub, [writes("french"), writes("german")]);
    // As soon as both are done, whether the one that merges has been made or not.
    await waitFor(
      async () => {
        const answer = await hub.fetch(`/api/v1/sessions?orchestrationId=${double}`);
        const { sessions } = z
          .object({ sessions: z.array(z.object({ status: z.string() })) })
          .parse(await answer.json());
        return sessions.filter(({ status }) => status === "completed").length >= 2;
      },
      { timeoutMs: 60_000, what: "both to be done" },
    );
    await hub.kill();
    await hub.restart();
    house.connect();
    const view = await ended(hub, double);
    expect(view).toMatchObject({ state: "completed", summary: "2 of 2 tasks completed" });
    expect(view.sessions.map(({ role }) => role)).toEqual(["task", "task", "integrator"]);
    expect(view.branch).toBe(view.sessions[2]?.workBranch);
    const log = await hub.events(view.sessions[2]?.sessionId ?? "");
    expect(log.filter(({ kind }) => kind === "agent.started")).toHaveLength(1);
    await aFailedCheck(house);
  },
);

/** A task whose check fails has failed, and says so. */
async function aFailedCheck(house: GitHubHouse): Promise<void> {
  const { hub } = house;
  const opened = house.pulls().length;
  const id = await run(hub, [writes("french", { check: "echo 'it is too short' >&2; exit 3" })]);
  const view = await ended(hub, id);
  expect(view).toMatchObject({
    state: "failed",
    error: "Task french failed: The check ended with exit code 3: it is too short",
    branch: null,
    pullRequestUrl: null,
  });
  // What it did can be read all the same.
  const diff = await hub.fetch(`/api/v1/sessions/${view.sessions[0]?.sessionId ?? ""}/diff`);
  expect(await diff.text()).toContain("+++ b/french.txt");
  expect(house.pulls()).toHaveLength(opened);
}
