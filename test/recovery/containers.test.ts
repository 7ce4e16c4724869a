import { expect, inject, test } from "vitest";
import { findEngine, startEngine } from "../kit/runtimes/engine.ts";
import { openHouse, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

const SLOTS = {
  CLAUDE_HUB_MAX_SESSIONS: "4",
  CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4",
  CLAUDE_CONTAINER_MEMORY_LIMIT: "512m",
};

async function begin({ hub }: House, ...steps: Parameters<typeof standIn>) {
  const made = await hub.create(session(`Work.\n${standIn(...steps)}`));
  await hub.start(made.id);
  await waitFor(
    async () => (await hub.events(made.id)).some(({ kind }) => kind === "agent.started"),
    { timeoutMs: 30_000, what: "the agent to start" },
  );
  return made;
}

const { engines, reason } = await findEngine(inject("engineDir"));

test.skipIf(reason !== null)(
  `recovery of containers have an engine (skipped where no container engine can be started: ${reason ?? ""})`,
  () => {
    expect(reason).toBeNull();
  },
);

for (const engine of engines) {
  test("kill -9 of the hub: its containers work on, and are adopted", async () => {
    await using house = await openHouse({ runtime: "docker", engine, env: SLOTS });
    const { hub } = house;
    const made = [];
    for (let count = 0; count < 3; count += 1)
      made.push(await begin(house, { lines: 60, everyMs: 50 }, { result: { summary: "Done." } }));
    await hub.kill();
    await hub.restart();
    for (const { id } of made) {
      expect(await hub.until(id)).toMatchObject({ status: "completed", error: null });
      const events = await hub.events(id);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      const kinds = events.map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "agent.started")).toHaveLength(1);
      expect(
        events.filter(({ body }) => /"line \d+ of 60/.test(JSON.stringify(body))),
      ).toHaveLength(60);
    }
  });

  test(
    "kill -9 of the hub at any moment of the making: one agent each",
    { timeout: 120_000 },
    async () => {
      await using house = await openHouse({ runtime: "docker", engine, env: SLOTS });
      const { hub } = house;
      const ids = [];
      for (let round = 0; round < 6; round += 1) {
        const made = await hub.create(session("Nothing."));
        await hub.start(made.id);
        ids.push(made.id);
        await waitFor(async () => (await hub.get(made.id)).status !== "pending");
        // What is under way at that moment differs from round to round.
        for (let turn = 0; turn < round * 4; turn += 1) await hub.get(made.id);
        await hub.kill();
        await hub.restart();
      }
      for (const id of ids) {
        expect(await hub.until(id)).toMatchObject({ status: "completed", error: null });
        const kinds = (await hub.events(id)).map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === "agent.started")).toHaveLength(1);
      }
    },
  );

  test("a container that is removed by hand fails its session with that reason", async () => {
    await using house = await openHouse({ runtime: "docker", engine, env: SLOTS });
    const made = await begin(house, { sleepMs: 120_000 });
    await engine.client.getContainer(made.containerId).remove({ force: true });
    const ended = await house.hub.until(made.id, { timeoutMs: 10_000 });
    expect(ended.status).toBe("failed");
    expect(ended.error).toContain("its container is gone: it was removed, and not by the hub");
  });

  test("a container that is stopped by hand fails its session with that reason", async () => {
    await using house = await openHouse({ runtime: "docker", engine, env: SLOTS });
    const made = await begin(house, { sleepMs: 120_000 });
    await engine.client.getContainer(made.containerId).kill({ signal: "SIGKILL" });
    const ended = await house.hub.until(made.id, { timeoutMs: 10_000 });
    expect(ended.error).toContain("ended from outside (signal 9), and not by the hub");
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const)
    test(`an engine that is restarted (${signal}) fails its sessions with that reason, and serves the next`, async () => {
      await using temp = await createTempDir("engine");
      await using own = await startEngine(`${temp.path}/engine`);
      await using house = await openHouse({ runtime: "docker", engine: own, env: SLOTS });
      const { hub } = house;
      const made = await begin(house, { sleepMs: 120_000 });
      await own.stop(signal);
      await waitFor(() => hub.output().includes("no container engine listens"), {
        timeoutMs: 20_000,
        what: "the hub to notice",
      });
      await own.start();
      const ended = await hub.until(made.id, { timeoutMs: 30_000 });
      expect(ended.status).toBe("failed");
      expect(ended.error).toMatch(/container engine was restarted/);
      const next = await begin(house, { result: { summary: "Served." } });
      expect(await hub.until(next.id)).toMatchObject({ status: "completed" });
    });
}
