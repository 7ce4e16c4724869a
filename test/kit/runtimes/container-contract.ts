import { describe, expect, test } from "vitest";
import { createDockerRuntime } from "../../../src/runtimes/docker/docker.ts";
import { OWNER, ownerOfHub, PROBE } from "../../../src/runtimes/docker/labels.ts";
import type { SandboxSpec } from "../../../src/runtimes/runtime.ts";
import type { Adapter, OpenRuntime } from "./runtime-adapter.ts";
import { openRuntime } from "./runtime-adapter.ts";
import { startRemoteRuntime } from "./remote-runtime.ts";
import { testContainers } from "./containers.ts";
import type { TestEngine } from "./engine.ts";
import { waitFor } from "../wait.ts";

/** What the runtime `docker` promises beyond what all runtimes do. */
export function containerContract(label: string, adapter: Adapter, engine: TestEngine): void {
  const settings = { engine: engine.address, image: engine.image };

  describe(`containers of ${label}`, () => {
    test("what is in force is what was asked for", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec({ memoryBytes: 268_435_456, processes: 77 });
      await at.runtime.ensure(spec);
      const inside = await at.place.ask(
        spec.name,
        `const { readFileSync, writeFileSync, existsSync } = await import("node:fs");
         const read = (path) => { try { return readFileSync(path, "utf8").trim(); } catch { return null; } };
         const status = read("/proc/self/status");
         return {
           seccomp: /^Seccomp:\\s*(\\d)$/m.exec(status)?.[1],
           bounding: /^CapBnd:\\s*(\\w+)$/m.exec(status)?.[1],
           memory: read("/sys/fs/cgroup/memory/memory.limit_in_bytes") ?? read("/sys/fs/cgroup/memory.max"),
           swap: read("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") ?? "268435456",
           processes: read("/sys/fs/cgroup/pids/pids.max") ?? read("/sys/fs/cgroup/pids.max"),
           init: read("/proc/1/cmdline").includes(process.argv[1]) && process.pid !== 1,
           sockets: ["/run/docker.sock", "/var/run/docker.sock"].some((path) => existsSync(path)),
         };`,
      );
      expect(inside).toEqual({
        seccomp: "2",
        bounding: "0000000000000000",
        memory: "268435456",
        swap: "268435456",
        processes: "77",
        init: true,
        sockets: false,
      });
    });

    test("one that was made but not started is started by the next", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await makeUnstarted(engine, at, spec);
      expect(await at.runtime.inspect(spec.name)).toBe("absent");
      expect(await at.runtime.list()).toEqual([{ name: spec.name, state: "exited" }]);
      expect(await at.runtime.ensure(spec)).toBe("created");
      expect(await at.place.starts(spec.name)).toHaveLength(1);
      expect(await at.place.ask(spec.name, "return boot.token;")).toBe(spec.token);
    });

    test("one that was made but not started, and was stopped, stays stopped", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await makeUnstarted(engine, at, spec);
      await at.runtime.stop(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("exited");
      expect(await at.runtime.ensure(spec)).toBe("exited");
    });

    test("a stranger's container or volume of that name is left alone", async () => {
      await using at = await openRuntime(adapter);
      const [one, other] = [at.place.spec(), at.place.spec()];
      const stranger = await engine.client.createContainer({
        name: one.name,
        Image: engine.image,
        Cmd: ["sleep", "1"],
        HostConfig: { NetworkMode: "none" },
      });
      await engine.makeVolume(other.name, "somebody else");
      try {
        await expect(at.runtime.ensure(one)).rejects.toThrow(
          `the name ${one.name} is taken by a container that is not this hub's`,
        );
        await expect(at.runtime.ensure(other)).rejects.toThrow(
          `the name ${other.name} is taken by a volume that is not this hub's`,
        );
        expect(await at.runtime.inspect(one.name)).toBe("absent");
        for (const { name } of [one, other]) {
          await at.runtime.stop(name);
          await at.runtime.remove(name);
        }
        expect((await stranger.inspect()).State.Status).toBe("created");
        const { Labels } = await engine.client.getVolume(other.name).inspect();
        expect(Labels).toEqual({ [OWNER]: "somebody else" });
      } finally {
        await stranger.remove({ force: true });
        await engine.client.getVolume(other.name).remove();
      }
    });

    test("what a hub left of a sandbox is listed, and removed, without a container too", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      await engine.client.getContainer(spec.name).remove({ force: true });
      expect(await at.runtime.list()).toEqual([{ name: spec.name, state: "exited" }]);
      expect(await at.runtime.lastWords(spec.name)).toBe(
        "its container is gone: it was removed, and not by the hub",
      );
      await at.runtime.remove(spec.name);
      expect(await at.runtime.list()).toEqual([]);
    });

    test("a runner that runs out of memory itself is told as such", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec({ memoryBytes: 134_217_728 });
      await at.runtime.ensure(spec);
      await at.place.ask(
        spec.name,
        `const { existsSync } = await import("node:fs");
         // Not before it has answered.
         setInterval(() => {
           if (!existsSync(boot.workspaceDir + "/answer-1.json")) return;
           const all = [];
           for (;;) all.push(Buffer.alloc(8_000_000, 1));
         }, 5);`,
      );
      await waitFor(async () => (await at.runtime.inspect(spec.name)) === "exited");
      expect(await at.runtime.lastWords(spec.name)).toContain(
        adapter.wordsOfMemory ?? "out of memory (limit 128 MB)",
      );
    });

    test("one that keeps more on disk than it may is ended, and told as such", async () => {
      const containers = testContainers({ ...settings, diskBytes: 20_000_000 });
      await using at = await openRuntime({ ...adapter, host: { containers } });
      const [greedy, modest] = [at.place.spec(), at.place.spec()];
      for (const spec of [greedy, modest]) await at.runtime.ensure(spec);
      await at.place.starts(modest.name);
      await at.place.ask(
        greedy.name,
        `const { writeFileSync } = await import("node:fs");
         writeFileSync(boot.workspaceDir + "/filler", Buffer.alloc(50_000_000, 1));`,
      );
      await waitFor(async () => {
        const listed = await at.runtime.list();
        return listed.find(({ name }) => name === greedy.name)?.state === "exited";
      });
      expect(await at.runtime.lastWords(greedy.name)).toMatch(/over its disk limit \(by \d+ MB\)/);
      expect(await at.runtime.inspect(modest.name)).toBe("running");
    });

    test("a hub that may not use the socket says so", async () => {
      await using at = await openRuntime(adapter);
      await using hub = await startRemoteRuntime(
        { runtime: "docker", host: at.place.host },
        65_533,
      );
      const check = await hub.runtime.check();
      expect(check).toMatchObject({ available: false });
      expect(JSON.stringify(check)).toContain(
        "the hub has no permission to use the container engine's socket",
      );
    });

    test.each([
      [{ image: "nobody/has-this:1" }, "the image nobody/has-this:1 is not there: build it"],
      [{ engine: "tcp://127.0.0.1:2375" }, "sandboxes need an engine on this machine"],
      [{ engine: "unix:///nowhere/x.sock" }, "no container engine listens on /nowhere/x.sock"],
      [{ ociRuntime: "runsc" }, "CLAUDE_CONTAINER_RUNTIME"],
    ])("what is missing is said: %j", async (missing, words) => {
      await using at = await openRuntime(adapter);
      const containers = testContainers({ ...settings, ...missing });
      const host = { ...at.place.host, containers };
      const check = await createDockerRuntime(host).check();
      expect(check).toEqual({ available: false, reason: expect.stringContaining(words) });
    });

    test("a check leaves nothing, also of one that was killed", async () => {
      await using at = await openRuntime(adapter);
      const owner = ownerOfHub(at.place.host.containers.hubId);
      await engine.client.createContainer({
        name: `probe-of-${at.place.host.containers.hubId}`,
        Image: engine.image,
        Cmd: ["true"],
        Labels: { [PROBE]: owner },
        HostConfig: { NetworkMode: "none" },
      });
      expect(await at.runtime.check()).toMatchObject({ available: true });
      const filters = { label: [`${PROBE}=${owner}`] };
      expect(await engine.client.listContainers({ all: true, filters })).toEqual([]);
    });
  });
}

/** A container as a hub leaves it that is killed before it has started it. */
async function makeUnstarted(
  engine: TestEngine,
  at: OpenRuntime,
  spec: SandboxSpec,
): Promise<void> {
  const { name } = spec;
  await at.runtime.ensure(spec);
  const { client } = engine;
  const { Config, HostConfig } = await client.getContainer(name).inspect();
  await client.getContainer(name).remove({ force: true });
  await client.getVolume(name).remove();
  await engine.makeVolume(name, ownerOfHub(at.place.host.containers.hubId));
  // What Podman tells of these, it does not take.
  const { Ulimits: _told, ...asked } = HostConfig;
  await client.createContainer({ ...Config, name, HostConfig: asked });
}
