import { z } from "zod";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REPOSITORY, openHouse, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { sandboxProcesses } from "../kit/runtimes/sandboxes.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

let house: House;
beforeAll(async () => {
  house = await openHouse({
    env: {
      CLAUDE_HUB_MAX_SESSIONS: "6",
      CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "6",
      CLAUDE_HUB_CANCEL_GRACE_MS: "3000",
      CLAUDE_HUB_STALL_MS: "300",
      CLAUDE_CONTAINER_MEMORY_LIMIT: "1g",
    },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

async function run(steps: StandInStep[], more: Record<string, unknown> = {}) {
  const made = await house.hub.create(session(`Work.\n${standIn(...steps)}`, more));
  await house.hub.start(made.id);
  const ended = await house.hub.until(made.id);
  return { ended, events: await house.hub.events(made.id) };
}

function pushedBranch(events: { kind: string; body: Record<string, unknown> }[]): string {
  return z.string().parse(events.find(({ kind }) => kind === "branch.pushed")?.body["branch"]);
}

function expectWhole(events: { seq: number; kind: string }[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.filter(({ kind }) => kind === "agent.started").length).toBeLessThanOrEqual(1);
  expect(events.at(-1)?.kind).toMatch(/^session\.(completed|failed|cancelled)$/);
}

test("work that was left uncommitted is committed and pushed, and told", async () => {
  const { ended, events } = await run([
    { write: { path: "notes.md", content: "one\ntwo\n" } },
    { result: { summary: "Wrote notes.", nextSteps: ["Read them"] } },
  ]);
  expect(ended).toMatchObject({ status: "completed", error: null });
  expectWhole(events);
  const branch = pushedBranch(events);
  expect(branch).toMatch(/^claude\/implementation-/);
  expect(await house.forge.git(REPOSITORY, "show", `${branch}:notes.md`)).toBe("one\ntwo");
  const { body } = await house.hub.claude({ type: "session.output", sessionId: ended.id });
  expect(body.data?.["output"]).toMatchObject({
    summary: "Wrote notes.",
    nextSteps: ["Read them"],
    artifacts: [
      { type: "commit", metadata: { branch, pushed: true } },
      { type: "file", path: "notes.md", metadata: { additions: 2, status: "added" } },
    ],
  });
  const diff = await house.hub.fetch(`/api/v1/sessions/${ended.id}/diff`);
  expect(await diff.text()).toContain("+one\n+two\n");
});

test("a session goes on from the branch of the one that it depends on", async () => {
  const first = await house.hub.create(
    session(`First.\n${standIn({ write: { path: "a.txt", content: "a" } }, { commit: "Add a" })}`),
  );
  const second = await house.hub.create(
    session(
      `Second.\n${standIn({ write: { path: "b.txt", content: "b" } }, { commit: "Add b" })}`,
      {
        type: "testing",
        dependencies: [first.id],
      },
    ),
  );
  const { body } = await house.hub.claude({ type: "session.start", sessionId: second.id });
  expect(body).toMatchObject({
    message: "Session queued, waiting for dependencies",
    data: { waitingFor: [first.id], session: { status: "pending" } },
  });
  await house.hub.start(first.id);
  expect(await house.hub.until(second.id)).toMatchObject({ status: "completed" });
  const branch = `claude/testing-${second.id.slice(-8)}`;
  expect(await house.forge.git(REPOSITORY, "log", "--format=%s", branch)).toBe(
    "Add b\nAdd a\nBegin",
  );
});

test("when a session fails, what depends on it is cancelled, all the way down", async () => {
  const first = await house.hub.create(session(`Fail.\n${standIn({ exit: 3 })}`));
  const second = await house.hub.create(session("Second.", { dependencies: [first.id] }));
  const third = await house.hub.create(session("Third.", { dependencies: [second.id] }));
  await house.hub.start(third.id);
  await house.hub.start(first.id);
  expect(await house.hub.until(first.id)).toMatchObject({
    status: "failed",
    error: "The agent ended with exit code 3",
  });
  for (const { id } of [second, third]) {
    const ended = await house.hub.until(id);
    expect(ended.status).toBe("cancelled");
    expect(ended.error).toContain(first.id);
  }
  // On top of one that has failed already.
  const late = await house.hub.create(session("Late.", { dependencies: [first.id] }));
  expect(late).toMatchObject({ status: "cancelled" });
  expect((await house.hub.claude({ type: "session.start", sessionId: late.id })).status).toBe(409);
});

test("double starts: pending answers the same, running and ended are conflicts", async () => {
  const made = await house.hub.create(session(`Slow.\n${standIn({ sleepMs: 60_000 })}`));
  const waiting = await house.hub.create(session("Waits.", { dependencies: [made.id] }));
  const ask = (id: string) => house.hub.claude({ type: "session.start", sessionId: id });
  expect((await ask(waiting.id)).body.data).toEqual((await ask(waiting.id)).body.data);
  const answers = await Promise.all([ask(made.id), ask(made.id), ask(made.id)]);
  // Whoever comes while it is still pending is told so; nobody starts it twice.
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
  await house.hub.until(made.id, { statuses: ["running"] });
  expect((await ask(made.id)).status).toBe(409);
  await cancel(made.id);
  await house.hub.until(made.id);
  expectWhole(await house.hub.events(made.id));
  expect((await ask(made.id)).status).toBe(409);
});

async function cancel(id: string): Promise<number> {
  return (await house.hub.fetch(`/api/v1/sessions/${id}/cancel`, { method: "POST" })).status;
}

test("cancel: before the start, while it waits, while it runs, when it ignores signals, at the end", async () => {
  const created = await house.hub.create(session("Never started."));
  expect(await cancel(created.id)).toBe(200);
  expect(await house.hub.get(created.id)).toMatchObject({ status: "cancelled" });
  expect(await cancel(created.id)).toBe(409);

  const running = await house.hub.create(session(`Slow.\n${standIn({ sleepMs: 60_000 })}`));
  const stubborn = await house.hub.create(
    session(`Stubborn.\n${standIn({ ignoreSignals: true }, { sleepMs: 60_000 })}`),
  );
  const waiting = await house.hub.create(session("Waits.", { dependencies: [running.id] }));
  for (const { id } of [running, stubborn, waiting]) await house.hub.start(id);
  for (const { id } of [running, stubborn]) await house.hub.until(id, { statuses: ["running"] });
  expect(await cancel(waiting.id)).toBe(200);
  expect(await house.hub.get(waiting.id)).toMatchObject({ status: "cancelled" });
  for (const { id } of [running, stubborn]) expect(await cancel(id)).toBe(200);
  for (const { id } of [running, stubborn])
    expect(await house.hub.until(id)).toMatchObject({
      status: "cancelled",
      error: "Cancelled on request",
    });
});

test("a time limit ends a session as failed", async () => {
  const { ended, events } = await run([{ sleepMs: 60_000 }], { options: { timeout: 1 } });
  expect(ended).toMatchObject({ status: "failed", error: "The time limit was reached" });
  expectWhole(events);
});

test("garbage, long lines, silence: all is told, in bounded pieces", async () => {
  const { ended, events } = await run([
    { garbage: 50 },
    { longLineBytes: 20_000_000 },
    { silentMs: 900 },
    { stderr: "on the other channel" },
    { result: { summary: "Survived." } },
  ]);
  expect(ended).toMatchObject({ status: "completed" });
  expectWhole(events);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "agent.printed").length).toBeGreaterThan(10);
  expect(kinds).toContain("agent.stalled");
  const long = events.find(({ body }) => Number(body["lostBytes"]) > 10_000_000);
  expect(JSON.stringify(long).length).toBeLessThan(70_000);
  expect(JSON.stringify(events)).toContain("on the other channel");
});

test("an agent that is killed is told as such, and its work is kept", async () => {
  const { ended, events } = await run([
    { write: { path: "half.txt", content: "half" } },
    { exit: 137 },
  ]);
  expect(ended.status).toBe("failed");
  expect(ended.error).toContain("137");
  const branch = pushedBranch(events);
  expect(await house.forge.git(REPOSITORY, "show", `${branch}:half.txt`)).toBe("half");
});

test("children that outlive the agent end with the session", async () => {
  const { ended } = await run([
    { fork: { seconds: 300, holdOutput: true } },
    { fork: { seconds: 300 } },
    { result: { summary: "Left children." } },
  ]);
  expect(ended.status).toBe("completed");
  await waitFor(async () => (await sandboxProcesses(`${house.hub.dir}/sandboxes`)).length === 0, {
    what: "no process of a sandbox",
  });
});

test("read-only types push nothing", async () => {
  const before = await house.forge.refs(REPOSITORY);
  const { ended, events } = await run(
    [
      { write: { path: "sneaky.txt", content: "x" } },
      { commit: "Sneak" },
      { push: "HEAD:refs/heads/claude/sneaky" },
      { result: { summary: "Analysed." } },
    ],
    { type: "analysis" },
  );
  expect(ended.status).toBe("completed");
  const push = events.find(
    ({ kind, body }) => kind === "tool.returned" && body["isError"] === true,
  );
  expect(push?.body["text"]).toMatch(/may not push|pushes nothing|403/);
  expect(await house.forge.refs(REPOSITORY)).toEqual(before);
});

test("a repository that does not exist fails the session in words", async () => {
  const made = await house.hub.create({
    type: "implementation",
    project: { repository: "octo/nowhere", requirements: "x" },
  });
  await house.hub.start(made.id);
  const ended = await house.hub.until(made.id);
  expect(ended.status).toBe("failed");
  expect(ended.error).toMatch(/not found/i);
});

test("an empty repository gets its first branch", async () => {
  await house.forge.repository("octo/empty");
  const made = await house.hub.create({
    type: "implementation",
    project: {
      repository: "octo/empty",
      requirements: standIn({ write: { path: "a", content: "a" } }, { commit: "First" }),
    },
  });
  await house.hub.start(made.id);
  expect(await house.hub.until(made.id)).toMatchObject({ status: "completed", error: null });
  expect(Object.keys(await house.forge.refs("octo/empty"))).toEqual([
    `refs/heads/claude/implementation-${made.id.slice(-8)}`,
  ]);
});

test("more sessions than slots: they take turns, and none is lost", async () => {
  const ids: string[] = [];
  for (let number = 0; number < 14; number += 1) {
    const made = await house.hub.create(session("Nothing."), { options: { autoStart: true } });
    ids.push(made.id);
  }
  for (const id of ids) expect(await house.hub.until(id)).toMatchObject({ status: "completed" });
});
