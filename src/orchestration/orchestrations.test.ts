import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../test/kit/hub/session-life.ts";
import { waitFor } from "../../test/kit/wait.ts";
import type { TestLife } from "../../test/kit/hub/session-life.ts";
import { Plan } from "../core/plan.ts";
import { NewOrchestration } from "./orchestrations.ts";
import type { OrchestrationView } from "../core/orchestration.ts";
import { advance } from "./advance.ts";
import { startConductor } from "./conductor.ts";

const serverUrl = inject("databaseServer");
const project = { repository: "octo/greeter", requirements: "Greet in more languages." };

function task(id: string, more: Record<string, unknown> = {}) {
  return { id, title: `About ${id}`, requirements: `Do ${id}.`, ...more };
}

function order(tasks: unknown[], more: Record<string, unknown> = {}) {
  return NewOrchestration.parse({
    project,
    plan: { tasks, integrate: false, ...more },
    autoStart: true,
  });
}

function sessionOf({ sessions }: OrchestrationView, taskId: string, place = "current") {
  const found = sessions.filter((one) => one.taskId === taskId && one.place === place).at(-1);
  if (found === undefined) throw new Error(`there is no ${place} session of ${taskId}`);
  return found;
}

async function statuses({ orchestrations }: TestLife, id: string) {
  const { sessions } = await orchestrations.get(id);
  return sessions.map(
    ({ taskId, role, round, status }) => `${taskId ?? role}${round > 1 ? round : ""} ${status}`,
  );
}

test("a plan that waits: read, changed with its version, approved once, and run", async () => {
  await using house = await openSessionLife({ serverUrl });
  const { orchestrations: all } = house;
  const made = await all.create({ ...order([task("a")]), autoStart: false });
  expect(made).toMatchObject({
    state: "proposed",
    status: "initializing",
    sessions: [],
    planVersion: 1,
  });
  const id = made.orchestrationId;
  const plan = Plan.parse({ tasks: [task("a"), task("b", { needs: ["a"] })], integrate: false });
  expect(await all.changePlan(id, { plan, version: 1 })).toMatchObject({ planVersion: 2, plan });
  await expect(all.changePlan(id, { plan, version: 1 })).rejects.toThrow(/its version is 2, not 1/);
  await expect(all.approve(id, 1)).rejects.toThrow(/its version is 2/);
  const broken = Plan.parse({ tasks: [task("a", { needs: ["x"] })] });
  await expect(all.changePlan(id, { plan: broken, version: 2 })).rejects.toThrow(
    "plan.tasks.0.needs.0: there is no task x",
  );
  // Two people at the same time: it runs once.
  await Promise.all([all.approve(id, 2), all.approve(id, 2), all.approve(id)]);
  expect(await statuses(house, id)).toEqual(["a initializing", "b pending"]);
  await expect(all.changePlan(id, { plan, version: 2 })).rejects.toThrow(/state: running/);
  await house.finish((await house.running())[0] ?? "");
  await house.finish((await house.running())[0] ?? "", { outcome: "failed", error: "No." });
  expect(await all.get(id)).toMatchObject({
    state: "failed",
    error: "Task b failed: No.",
    summary: "1 of 2 tasks completed; Task b failed",
  });
  await expect(all.approve(id)).rejects.toThrow(/state: failed/);
  await expect(all.cancel(id)).rejects.toThrow(/already ended/);
});

test("a failure is followed by what the plan says: cancel, continue, retry", async () => {
  await using house = await openSessionLife({ serverUrl });
  const { orchestrationId: id } = await house.orchestrations.create(
    order([
      task("lost"),
      task("stopped", { needs: ["lost"] }),
      task("shaky", { onFailure: { retry: 2 } }),
      task("patient", { needs: ["shaky"] }),
      task("spare", { onFailure: "continue" }),
      task("stoic", { needs: ["spare"] }),
    ]),
  );
  const fail = async (taskId: string) =>
    house.finish(sessionOf(await house.orchestrations.get(id), taskId).sessionId, {
      outcome: "failed",
      error: `${taskId} did not work`,
    });
  await fail("lost");
  await fail("shaky");
  await fail("spare");
  expect(await statuses(house, id)).toEqual([
    "lost failed",
    "stopped cancelled",
    "shaky failed",
    "shaky2 initializing",
    "patient pending",
    "spare failed",
    "stoic initializing",
  ]);
  await fail("shaky");
  await house.finish(sessionOf(await house.orchestrations.get(id), "shaky").sessionId);
  const view = await house.orchestrations.get(id);
  expect(sessionOf(view, "shaky")).toMatchObject({ round: 3, status: "completed" });
  expect(sessionOf(view, "patient")).toMatchObject({
    status: "initializing",
    dependencies: [sessionOf(view, "shaky").sessionId],
  });
  for (const one of await house.running()) await house.finish(one);
  expect(await house.orchestrations.get(id)).toMatchObject({
    state: "failed",
    error: "Task lost failed: lost did not work",
    summary:
      "3 of 6 tasks completed; Task lost failed; Task stopped was cancelled; Task spare failed",
  });
});

test("of several attempts the best one counts, and what comes after goes on from it", async () => {
  await using house = await openSessionLife({ serverUrl });
  const attempted = task("a", { attempts: 3, check: "npm test" });
  const { orchestrationId: id } = await house.orchestrations.create(
    order([attempted, task("b", { needs: ["a"] })]),
  );
  const [one = "", two = "", three = ""] = await house.running();
  await house.finish(one, { diff: "x".repeat(50), pushes: true });
  await house.finish(two, { outcome: "failed", error: "The check failed" });
  expect(await statuses(house, id)).toContain("b pending");
  await house.finish(three, { diff: "x".repeat(20), pushes: true });
  const view = await house.orchestrations.get(id);
  expect(view.sessions.map(({ place }) => place)).toEqual([
    "passed_over",
    "passed_over",
    "chosen",
    "current",
  ]);
  const next = sessionOf(view, "b");
  expect(next).toMatchObject({ status: "initializing", dependencies: [three], waitsFor: [] });
  await house.finish(next.sessionId);
  expect(await house.orchestrations.get(id)).toMatchObject({ state: "completed" });
});

test("attempts that all fail end what needs the task; so does what ends all of them at once", async () => {
  await using house = await openSessionLife({ serverUrl });
  const { orchestrationId: id } = await house.orchestrations.create(
    order([
      task("root"),
      task("a", { needs: ["root"], attempts: 2, check: "make" }),
      task("b", { needs: ["a"], attempts: 2, check: "make" }),
      task("c", { needs: ["b"] }),
      task("x", { attempts: 2, check: "make" }),
      task("y", { needs: ["x"] }),
    ]),
  );
  const failed = { outcome: "failed" as const, error: "No." };
  const view = await house.orchestrations.get(id);
  await house.finish(sessionOf(view, "root").sessionId, failed);
  for (const one of await house.running()) await house.finish(one, failed);
  expect(await statuses(house, id)).toEqual([
    "root failed",
    ...["a", "a", "b", "b", "c"].map((name) => `${name} cancelled`),
    "x failed",
    "x failed",
    "y cancelled",
  ]);
  expect(await house.orchestrations.get(id)).toMatchObject({ state: "failed" });
});

test("a proposed plan is taken as it was answered, asked for again once, and then given up", async () => {
  await using house = await openSessionLife({ serverUrl });
  const { orchestrations: all } = house;
  const asked = NewOrchestration.parse({ project, plan: "propose" });
  const made = await all.create(asked);
  expect(made).toMatchObject({ state: "proposing" });
  const [planner = ""] = await house.running();
  const job = await house.job(planner);
  expect(job.answerSchema).toMatchObject({ type: "object" });
  expect(job.policy).toMatchObject({ edit: false, pushBranches: [] });
  await house.finish(planner, { answer: { tasks: [task("a", { needs: ["ghost"] })] } });
  expect(await all.get(made.orchestrationId)).toMatchObject({ state: "proposing" });
  const [second = ""] = await house.running();
  expect((await house.job(second)).prompt).toContain("tasks.0.needs.0: there is no task ghost");
  await house.finish(second, { answer: { tasks: [task("a")] } });
  expect(await all.get(made.orchestrationId)).toMatchObject({ state: "proposed", planVersion: 1 });

  const hopeless = await all.create({ ...asked, autoStart: true });
  for (let round = 0; round < 2; round += 1) {
    for (const one of await house.running()) await house.finish(one, { answer: { tasks: [] } });
    await advance(house.deps, hopeless.orchestrationId);
  }
  const view = await all.get(hopeless.orchestrationId);
  expect(view.state).toBe("failed");
  expect(view.error).toMatch(/^No plan could be made: tasks: /);
});

test("who comes after is told what came of those before, begins where their work is, and the last one merges", async () => {
  const opened: string[] = [];
  await using house = await openSessionLife({
    serverUrl,
    publish: async ({ branch, base, title }) => {
      opened.push(`${title}: ${branch} into ${base ?? "the default branch"}`);
      return "https://forge.example/pull/1";
    },
  });
  const { orchestrations: all } = house;
  const plan = {
    summary: "Greet the world.",
    tasks: [
      task("look", { type: "analysis" }),
      task("fr", { needs: ["look"] }),
      task("de", { onFailure: "continue" }),
      task("test", { type: "review", needs: ["fr", "de"] }),
      task("after", { needs: ["test"] }),
      task("it"),
    ],
  };
  const { orchestrationId: id } = await all.create(
    NewOrchestration.parse({ project, plan, autoStart: true }),
  );
  const next = async (taskId: string) => sessionOf(await all.get(id), taskId);
  const look = await next("look");
  await house.finish(look.sessionId, { summary: "It is in src/greet.ts." });
  const fr = await next("fr");
  const job = await house.job(fr.sessionId);
  expect(job.prompt).toContain("## About look\nIt completed.\nIt is in src/greet.ts.");
  expect(job.workspace.baseBranch).toBe("main");
  await house.finish(fr.sessionId, { pushes: true });
  await house.finish((await next("de")).sessionId, { outcome: "failed", error: "No words." });
  const review = await house.job((await next("test")).sessionId);
  expect(review.prompt).toContain("It failed: No words.");
  expect(review.workspace).toMatchObject({ baseBranch: fr.workBranch, workBranch: null });
  await house.finish((await next("test")).sessionId);
  // Through the one that only reads, to the branch of the one that wrote.
  const after = await next("after");
  expect((await house.job(after.sessionId)).workspace.baseBranch).toBe(fr.workBranch);
  await house.finish(after.sessionId, { pushes: true });
  const other = await next("it");
  expect((await all.get(id)).sessions.filter(({ role }) => role === "integrator")).toEqual([]);
  await house.finish(other.sessionId, { pushes: true });
  const { sessions } = await all.get(id);
  const integrator = sessions.find(({ role }) => role === "integrator");
  const merge = await house.job(integrator?.sessionId ?? "");
  expect(merge.workspace).toMatchObject({ baseBranch: "main", workBranch: integrator?.workBranch });
  // The first is in the second.
  const branches = [after, other].map(({ workBranch }) => workBranch);
  expect(merge.prompt).toContain(`Work of the sessions before this one: ${branches.join(", ")}\n`);
  await house.finish(integrator?.sessionId ?? "", { pushes: true });
  // Nobody has opened the pull request yet, and it says so.
  expect(await all.get(id)).toMatchObject({ state: "running", pullRequestUrl: null });
  await using conductor = startConductor(house.deps, {
    executorId: "a",
    leaseMs: 1_000,
    pollMs: 20,
  });
  conductor.ring();
  await waitFor(async () => (await all.get(id)).state === "completed");
  expect(await all.get(id)).toMatchObject({
    branch: integrator?.workBranch,
    pullRequestUrl: "https://forge.example/pull/1",
    summary: "5 of 6 tasks completed; Task de failed",
  });
  expect(opened).toEqual([`Greet the world.: ${integrator?.workBranch} into the default branch`]);
});

test("a cancelled orchestration ends when its sessions have, and nothing new begins in it", async () => {
  await using house = await openSessionLife({ serverUrl, slots: 1 });
  const { orchestrations: all } = house;
  const { orchestrationId: id } = await all.create(
    order([task("a", { onFailure: { retry: 3 } }), task("b"), task("c", { needs: ["a"] })]),
  );
  const view = await all.cancel(id);
  expect(view).toMatchObject({ state: "running" });
  expect(await statuses(house, id)).toEqual(["a initializing", "b cancelled", "c cancelled"]);
  await house.finish((await house.running())[0] ?? "", { outcome: "failed", error: "Killed" });
  expect(await all.get(id)).toMatchObject({ state: "cancelled", error: "Cancelled on request" });
  expect(await statuses(house, id)).toHaveLength(3);
});

test("the older way of asking has a row of its own, with a life that its session gives it", async () => {
  await using house = await openSessionLife({ serverUrl });
  const { orchestrations: all } = house;
  const waiting = await all.create(NewOrchestration.parse({ project }));
  expect(waiting).toMatchObject({ state: "approved", status: "initializing" });
  await house.life.sessions.start(waiting.sessions[0]?.id ?? "");
  expect(await all.get(waiting.orchestrationId)).toMatchObject({ state: "running", plan: null });
  await house.finish((await house.running())[0] ?? "");
  expect(await all.get(waiting.orchestrationId)).toMatchObject({ state: "completed" });
  const dropped = await all.create(NewOrchestration.parse({ project }));
  expect(await all.cancel(dropped.orchestrationId)).toMatchObject({ state: "cancelled" });
  const page = await all.list({ limit: 1 });
  expect(page.orchestrations.map(({ id }) => id)).toEqual([dropped.orchestrationId]);
  const rest = await all.list({ cursor: page.nextCursor ?? "", state: "completed" });
  expect(rest.orchestrations.map(({ id }) => id)).toEqual([waiting.orchestrationId]);
});
