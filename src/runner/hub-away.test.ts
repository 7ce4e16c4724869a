import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { isRunning } from "../../test/kit/process.ts";
import { createRunnerHouse, WORK_BRANCH } from "../../test/kit/hub/runner-house.ts";
import { standIn } from "../../test/kit/agent/stand-in.ts";
import { waitFor } from "../../test/kit/wait.ts";

/** A runner that does not end is what these tests look for; it must not take the test's own time limit to see it. */
async function endWithin(ended: Promise<unknown>, ms: number): Promise<unknown> {
  const limit = new AbortController();
  const late = pause(ms, "still running", { signal: limit.signal }).catch(() => undefined);
  try {
    return await Promise.race([ended, late]);
  } finally {
    limit.abort();
  }
}

test("a hub that is away in the middle is not noticed by the agent, and no event is lost", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { print: "before" },
    { lines: 400, everyMs: 2 },
    { write: { path: "a", content: "1\n" } },
    { commit: "Add a" },
  );
  const run = await house.start({ prompt });
  await house.until("message.written");
  await house.hub.goAway();
  const seen = house.hub.events.length;
  await pause(1_200);
  await house.hub.comeBack();
  expect(await run.ended).toMatchObject({ exitCode: 0 });

  expect(seen).toBeLessThan(house.hub.events.length);
  expect(house.bodies("message.written")).toHaveLength(401);
  expect(house.hub.events.map(({ seq }) => seq)).toEqual(house.hub.events.map((_, at) => at + 1));
  expect(house.hub.results).toMatchObject([{ outcome: "completed" }]);
  expect(
    await house.git.forge.git(house.git.repository.name, "log", "--format=%s", "-1", WORK_BRANCH),
  ).toBe("Add a");
});

test("git and the model wait for a hub that is being restarted", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { print: "before" },
    { silentMs: 600 },
    { write: { path: "a", content: "1\n" } },
    { commit: "Add a" },
    { push: true },
  );
  const run = await house.start({ prompt });
  await house.until("message.written");
  await house.hub.goAway();
  await pause(1_500);
  await house.hub.comeBack();
  await run.ended;
  expect(house.bodies("tool.returned").map(({ isError }) => isError)).toEqual([
    false,
    false,
    false,
  ]);
});

test("a result is sent again until a hub takes it", async () => {
  await using house = await createRunnerHouse();
  const run = await house.start({ prompt: standIn({ print: "before" }, { silentMs: 300 }) });
  await house.until("message.written");
  house.hub.refuse(503);
  await pause(1_000);
  expect(house.hub.results).toEqual([]);
  house.hub.refuse(null);
  expect(await run.ended).toMatchObject({ exitCode: 0 });
  expect(house.hub.results).toHaveLength(1);
});

test.each([401, 410])(
  "a session that is over for the hub (%i) ends agent and runner",
  async (status) => {
    await using house = await createRunnerHouse();
    const run = await house.start({
      prompt: standIn({ print: "here" }, { lines: 100_000, everyMs: 5 }),
    });
    const { body } = await house.until("agent.started");
    house.hub.refuse(status);
    expect(await endWithin(run.ended, 15_000)).toMatchObject({ exitCode: expect.any(Number) });
    await waitFor(() => !isRunning(Number(body["pid"])), { what: "the agent's end" });
    expect(house.hub.results).toEqual([]);
  },
);

test("a hub that refuses the events ends the session instead of keeping it for ever", async () => {
  await using house = await createRunnerHouse();
  const run = await house.start({ prompt: standIn({ print: "here" }, { lines: 300, everyMs: 5 }) });
  await house.until("message.written");
  house.hub.refuse(400);
  expect(await endWithin(run.ended, 15_000)).toMatchObject({ exitCode: expect.any(Number) });
});

test("what does not fit into the spool is dropped and counted", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { print: "before" },
    { silentMs: 300 },
    { lines: 300, bytes: 2_000 },
    { run: "touch ../said" },
  );
  const run = await house.start({ prompt, limits: { spoolBytes: 100_000 } });
  await house.until("message.written");
  await house.hub.goAway();
  // The agent has said all; it is let go when the hub can be asked whether there is more to say to it.
  await waitFor(() => existsSync(join(run.workspaceDir, "../said")));
  await house.hub.comeBack();
  await run.ended;
  expect(isRunning(Number(house.bodies("agent.started")[0]?.["pid"]))).toBe(false);

  const dropped = house.bodies("events.dropped").reduce((sum, { count }) => sum + Number(count), 0);
  const arrived = house.bodies("message.written").length;
  expect(arrived).toBeLessThan(100);
  // Of the dropped, some may be of other kinds.
  expect(arrived + dropped).toBeGreaterThanOrEqual(301);
  expect(house.hub.events.map(({ seq }) => seq)).toEqual(house.hub.events.map((_, at) => at + 1));
});
