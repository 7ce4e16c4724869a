import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { sandboxProcesses } from "../kit/runtimes/sandboxes.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const TWO = { CLAUDE_HUB_PREPARED_SANDBOXES: "2" };

function sandboxesOf({ hub }: House): string {
  return join(hub.dir, "sandboxes");
}

async function kinds({ hub }: House, id: string): Promise<string[]> {
  return (await hub.events(id)).map(({ kind }) => kind);
}

/** Waits until the session, which nobody has started, has its workspace. */
async function prepared(house: House, id: string): Promise<void> {
  await waitFor(async () => (await kinds(house, id)).includes("workspace.cloned"), {
    timeoutMs: 60_000,
    what: "the workspace to be prepared",
  });
}

function count(all: string[], kind: string): number {
  return all.filter((one) => one === kind).length;
}

const work = session(
  `Add a file.\n${standIn(
    { write: { path: "a.txt", content: "a\n" } },
    { commit: "Add a" },
    { result: { summary: "There is an a." } },
  )}`,
);

for (const runtime of ["process", "bubblewrap"] as const)
  test(`${runtime}: a session is made ready before its start, and its start goes on from there`, async () => {
    await using house = await openHouse({ runtime, env: TWO });
    const { hub, forge } = house;
    const made = await hub.create(work);
    await prepared(house, made.id);
    expect(await hub.get(made.id)).toMatchObject({ status: "initializing" });
    expect(await kinds(house, made.id)).not.toContain("session.queued");

    await hub.start(made.id);
    expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
    const all = await kinds(house, made.id);
    for (const once of ["sandbox.created", "runner.started", "workspace.cloned", "agent.started"])
      expect(count(all, once)).toBe(1);
    expect(all.indexOf("workspace.cloned")).toBeLessThan(all.indexOf("session.queued"));
    expect(all.indexOf("session.admitted")).toBeLessThan(all.indexOf("agent.started"));
    expect(all).not.toContain("workspace.updated");
    expect((await hub.events(made.id)).map(({ seq }) => seq)).toEqual(all.map((_, at) => at + 1));
    const branch = `claude/implementation-${made.id.slice(0, 8)}`;
    expect(Object.keys(await forge.refs(REPOSITORY)).join()).toContain(branch.slice(0, 21));
    await waitFor(async () => (await sandboxProcesses(sandboxesOf(house))).length === 0);
  });

test("work begins where the base branch is at the start, not where it was before", async () => {
  await using house = await openHouse({ env: { ...TWO, CLAUDE_HUB_MIRROR_MAX_AGE_MS: "0" } });
  const { hub, forge } = house;
  const made = await hub.create(work);
  await prepared(house, made.id);
  const sha = await forge.commit(REPOSITORY, { "news.txt": "news\n" }, { message: "Bring news" });
  await hub.start(made.id);
  expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
  const updated = (await hub.events(made.id)).find(({ kind }) => kind === "workspace.updated");
  expect(updated?.body).toEqual({ branch: "main", sha });
  const [branch = ""] = Object.keys(await forge.refs(REPOSITORY)).filter((ref) =>
    ref.includes("claude/"),
  );
  expect(await forge.git(REPOSITORY, "log", "--format=%s", "-2", branch)).toBe("Add a\nBring news");
});

test("no more are made than may be, and none for sessions that cannot begin", async () => {
  await using house = await openHouse({ env: TWO });
  const { hub } = house;
  const first = await hub.create(work);
  const waiting = await hub.create({ ...work, dependencies: [first.id] });
  const more = [await hub.create(work), await hub.create(work), await hub.create(work)];
  const ids = [first, waiting, ...more].map(({ id }) => id);
  const withSandbox = async () => {
    const all = await Promise.all(ids.map((id) => kinds(house, id)));
    return ids.filter((_, at) => all[at]?.includes("workspace.cloned"));
  };
  await waitFor(async () => (await withSandbox()).length === 2);
  // The look after the next one would have made a third.
  const other = await hub.create(work);
  await hub.start(other.id);
  await hub.until(other.id);
  expect(await withSandbox()).toHaveLength(2);
  expect(await withSandbox()).not.toContain(waiting.id);
  await waitFor(async () => (await readdir(sandboxesOf(house))).length === 2, {
    what: "the sandbox of the ended session to be gone",
  });
});

test("what is not started in time, or is cancelled, leaves nothing; a late start works all the same", async () => {
  await using house = await openHouse({
    env: { ...TWO, CLAUDE_HUB_PREPARED_MAX_AGE_MS: "8000" },
  });
  const { hub } = house;
  const late = await hub.create(work);
  const cancelled = await hub.create(work);
  await prepared(house, late.id);
  await prepared(house, cancelled.id);
  const response = await hub.fetch(`/api/v1/sessions/${cancelled.id}/cancel`, { method: "POST" });
  expect(response.status).toBe(200);
  await waitFor(async () => (await kinds(house, late.id)).includes("sandbox.stopped"));
  await waitFor(async () => (await readdir(sandboxesOf(house))).length === 0);
  expect(await sandboxProcesses(sandboxesOf(house))).toEqual([]);
  expect(await hub.get(late.id)).toMatchObject({ status: "initializing" });

  await hub.start(late.id);
  expect(await hub.until(late.id)).toMatchObject({ status: "completed" });
  const all = await kinds(house, late.id);
  expect(count(all, "sandbox.created")).toBe(2);
  expect(count(all, "agent.started")).toBe(1);
});

test("a prepared sandbox that dies before the start is no failure of the session", async () => {
  await using house = await openHouse({ env: TWO });
  const { hub } = house;
  const made = await hub.create(work);
  await prepared(house, made.id);
  for (const pid of await sandboxProcesses(sandboxesOf(house))) process.kill(pid, "SIGKILL");
  await hub.start(made.id);
  expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
  const all = await kinds(house, made.id);
  expect(count(all, "sandbox.created")).toBe(2);
  expect(count(all, "agent.started")).toBe(1);
});

test("nor one that dies after it was taken for the start and before it has gone on, hub or no hub", async () => {
  await using house = await openHouse({ env: TWO });
  const { hub } = house;
  for (const isHubKilled of [false, true]) {
    const made = await hub.create(work);
    await prepared(house, made.id);
    const pids = await sandboxProcesses(sandboxesOf(house));
    // It lives, and hears nothing.
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    await hub.start(made.id);
    await waitFor(async () => (await kinds(house, made.id)).includes("sandbox.adopted"));
    if (isHubKilled) await hub.kill();
    for (const pid of pids) process.kill(pid, "SIGKILL");
    if (isHubKilled) await hub.restart();
    expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
    const all = await kinds(house, made.id);
    expect(count(all, "sandbox.died")).toBe(1);
    expect(count(all, "sandbox.created")).toBe(2);
    expect(count(all, "agent.started")).toBe(1);
  }
});

test("kill -9 of the hub before the start: the sandbox is found again and used", async () => {
  await using house = await openHouse({ env: TWO });
  const { hub } = house;
  const made = await hub.create(work);
  await prepared(house, made.id);
  await hub.kill();
  await hub.restart();
  await hub.start(made.id);
  expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
  const all = await kinds(house, made.id);
  expect(count(all, "runner.started")).toBe(1);
  expect(count(all, "agent.started")).toBe(1);
});

test(
  "kill -9 of the hub around starts, again and again: no agent runs twice, every session completes",
  { timeout: 180_000 },
  async () => {
    await using house = await openHouse({ env: TWO });
    const { hub } = house;
    for (let round = 0; round < 6; round += 1) {
      const made = await hub.create(work);
      if (round % 2 === 0) await prepared(house, made.id);
      const started = hub.start(made.id).catch(() => null);
      await waitFor(() => new Promise((resolve) => setTimeout(() => resolve(true), round * 12)));
      await hub.kill();
      await hub.restart();
      // The request may have been lost with the hub.
      if ((await started) === null) await hub.start(made.id).catch(() => null);
      expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
      expect(count(await kinds(house, made.id), "agent.started")).toBe(1);
    }
  },
);

test("a repository that cannot be cloned fails the session when it is started, not before", async () => {
  await using house = await openHouse({ env: TWO });
  const { hub } = house;
  const made = await hub.create({
    type: "implementation",
    project: { repository: "octo/missing", requirements: "Nothing." },
  });
  await waitFor(async () => (await kinds(house, made.id)).includes("sandbox.stopped"));
  expect(await hub.get(made.id)).toMatchObject({ status: "initializing" });
  await hub.start(made.id);
  const ended = await hub.until(made.id);
  expect(ended.status).toBe("failed");
  expect(ended.error).toMatch(/not found/i);
});
