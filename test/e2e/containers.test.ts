import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { findEngine } from "../kit/runtimes/engine.ts";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import { readScenario } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const { engines, reason } = await findEngine(inject("engineDir"));

test.skipIf(reason !== null)(
  `sessions in containers have an engine (skipped where no container engine can be started: ${reason ?? ""})`,
  () => {
    expect(reason).toBeNull();
  },
);

for (const engine of engines) {
  test("a session works, pushes and leaves nothing", async () => {
    await using house = await openHouse({ runtime: "docker", engine });
    const { hub, forge } = house;
    const made = await hub.create(
      session(
        `Work.\n${standIn({ write: { path: "notes.md", content: "one\n" } }, { result: { summary: "Wrote notes." } })}`,
      ),
    );
    await hub.start(made.id);
    expect(await hub.until(made.id)).toMatchObject({ status: "completed", error: null });
    const events = await hub.events(made.id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.find(({ kind }) => kind === "sandbox.created")?.body).toMatchObject({
      name: made.containerId,
      runtime: "docker",
    });
    const branch = `claude/implementation-${made.id.slice(-8)}`;
    expect(await forge.git(REPOSITORY, "show", `${branch}:notes.md`)).toBe("one");
    await waitFor(async () => (await namesOf(made.containerId)).length === 0, {
      what: "container and volume to be removed",
    });
  });

  test("the real Claude Code works in a container", { timeout: 120_000 }, async () => {
    const scenario = await readScenario(
      join(import.meta.dirname, "../kit/model/scenarios/farewell.json"),
    );
    await using house = await openHouse({ runtime: "docker", engine, agent: "real", scenario });
    const { hub, forge } = house;
    const made = await hub.create(session("Add a farewell function and commit it."));
    await hub.start(made.id);
    const ended = await hub.until(made.id, { timeoutMs: 100_000 });
    expect(ended).toMatchObject({ status: "completed", error: null });
    const branch = `claude/implementation-${made.id.slice(-8)}`;
    expect(await forge.git(REPOSITORY, "show", `${branch}:src/farewell.js`)).toContain("Goodbye");
  });

  test.each([0, 1])(
    "a session gets the limits that it asks for, with %i prepared, and no more than it may",
    async (prepared) => {
      await using house = await openHouse({
        runtime: "docker",
        engine,
        env: {
          CLAUDE_CONTAINER_MEMORY_LIMIT: "256m",
          CLAUDE_CONTAINER_MEMORY_MAX: "1g",
          CLAUDE_CONTAINER_PIDS_LIMIT: "256",
          CLAUDE_HUB_PREPARED_SANDBOXES: String(prepared),
        },
      });
      const { hub } = house;
      const limits = { memory: "512m", cpuShares: 512, pidsLimit: 100 };
      const made = await hub.create(session(`Wait.\n${standIn({ sleepMs: 60_000 })}`), {
        options: { limits },
      });
      if (prepared > 0)
        await waitFor(async () => (await hub.events(made.id)).length > 2, { what: "its sandbox" });
      await hub.start(made.id);
      await hub.until(made.id, { statuses: ["running"] });
      const { HostConfig } = await engine.client.getContainer(made.containerId).inspect();
      expect(HostConfig).toMatchObject({ Memory: 536_870_912, CpuShares: 512, PidsLimit: 100 });
      await hub.fetch(`/api/v1/sessions/${made.id}/cancel`, { method: "POST" });
      for (const [asked, field] of [
        [{ memory: "2g" }, "memory"],
        [{ pidsLimit: 300 }, "pidsLimit"],
        [{ cpuShares: 4_096 }, "cpuShares"],
        [{ memory: "much" }, "memory"],
        [{ memory: "1m" }, "memory"],
        [{ discs: 1 }, "discs"],
      ] as const) {
        const { status, body } = await hub.claude({
          type: "session.create",
          session: session("Ask."),
          options: { limits: asked },
        });
        expect(status).toBe(400);
        expect(body.error).toContain(`options.limits`);
        expect(body.error).toContain(field);
      }
      await hub.until(made.id);
    },
  );

  test("a hub without the image says so and does not start", async () => {
    const env = { CLAUDE_CONTAINER_IMAGE: "nobody/has-this:1" };
    await expect(openHouse({ runtime: "docker", engine, env })).rejects.toThrow(
      "the runtime docker cannot be used: the image nobody/has-this:1 is not there: build it",
    );
  });

  test("a hub without an engine says so and does not start", async () => {
    const env = { DOCKER_HOST: "unix:///nowhere/engine.sock" };
    await expect(openHouse({ runtime: "docker", env })).rejects.toThrow(
      "no container engine listens on /nowhere/engine.sock: start it",
    );
  });

  test("auto takes containers where there are an engine and the image", async () => {
    await using house = await openHouse({ runtime: "auto", engine });
    expect(house.hub.output()).toMatch(/"runtime":"docker".*"runtime chosen"/);
  });

  async function namesOf(name: string): Promise<string[]> {
    const containers = await engine.client.listContainers({ all: true, filters: { name: [name] } });
    const { Volumes } = await engine.client.listVolumes({ filters: { name: [name] } });
    return [...containers.flatMap(({ Names }) => Names), ...Volumes.map(({ Name }) => Name)];
  }
}
