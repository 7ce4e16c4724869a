import { RUNNER_EXIT } from "../../core/job.ts";
import type { Runtime, RuntimeHost, Sandbox, SandboxSpec } from "../runtime.ts";
import { checkSandboxName } from "../sandbox-name.ts";
import { createTurns } from "../turns.ts";
import { findContainer, makeContainer, putBelongings, removeAll } from "./belongings.ts";
import { createCheck } from "./check.ts";
import { bootOf } from "../boot.ts";
import { INSIDE } from "./confinement.ts";
import { lastWordsOf } from "./death.ts";
import type { Container, Engine } from "./engine.ts";
import { DOCTOR, OWNER, ownerOfHub } from "./labels.ts";
import { createConnection } from "./parts.ts";

const LOCK = "spool/runner.lock";

/**
 * Sandboxes that are containers of an engine with Docker's API: Docker Engine, or Podman's service. A container bears
 * the sandbox's name, so there is one at the most, and the hub's label, so that hubs do not touch each other's.
 */
export function createDockerRuntime(host: RuntimeHost): Runtime {
  const inTurn = createTurns();
  const { purpose, hubId } = host.containers;
  const owner = { label: purpose === "doctor" ? DOCTOR : OWNER, value: ownerOfHub(hubId) };
  const connected = createConnection(host);

  async function find(name: string): Promise<Container | null> {
    checkSandboxName(name);
    return await findContainer(await connected(), name, owner);
  }

  async function ensure(spec: SandboxSpec): Promise<"created" | "adopted" | "exited"> {
    const { engine } = await connected();
    const container = (await find(spec.name)) ?? (await make(spec));
    const phase = await phaseOf(engine, container);
    if (phase !== "absent") return phase === "running" ? "adopted" : "exited";
    await begin(container, spec);
    return "created";
  }

  async function make(spec: SandboxSpec): Promise<Container> {
    const parts = await connected();
    const imageName = spec.image ?? host.containers.image;
    const image = await parts.images.provide(imageName, spec.report ?? (() => undefined));
    return await makeContainer(parts, {
      name: spec.name,
      image,
      imageName,
      owner,
      limits: spec.limits,
      command: ["node", INSIDE.runner, spec.name],
      labels: { "claude-hub.session": spec.sessionId },
      marks: { CLAUDE_HUB_SANDBOX: spec.name, CLAUDE_HUB_SANDBOXES: owner.value },
    });
  }

  /** Safe to repeat at any point: a runner reads one line, and ends when it finds the lock taken. */
  async function begin(container: Container, spec: SandboxSpec): Promise<void> {
    const parts = await connected();
    try {
      await putBelongings(parts, container);
      const boot = JSON.stringify(bootOf(host, spec, INSIDE));
      await parts.engine.feedAndStart(container.id, `${boot}\n`);
    } catch (error) {
      // What cannot be started is not kept: the next attempt makes it anew, perhaps of a better image.
      if ((await find(spec.name))?.state === "created")
        await parts.engine.removeContainer(container.id);
      throw error;
    }
  }

  async function stop(name: string): Promise<void> {
    const parts = await connected();
    const container = await find(name);
    if (container === null) return;
    // In place of a runner, so that none can begin there any more.
    if (container.state === "created")
      await putBelongings(parts, container, { [LOCK]: "stopped\n" });
    await parts.engine.kill(container.id);
  }

  async function remove(name: string): Promise<void> {
    await stop(name);
    await removeAll(await connected(), name, owner);
  }

  async function list(): Promise<Sandbox[]> {
    const { engine, disk } = await connected();
    const label = `${owner.label}=${owner.value}`;
    const [containers, volumes] = await Promise.all([
      engine.containers(label),
      engine.volumes(label),
    ]);
    const running = containers.filter((one) => one.running).map(({ name }) => name);
    await disk.watch(running, (name) => inTurn(name, () => stop(name)));
    const names = new Set([...containers.map(({ name }) => name), ...volumes]);
    return [...names].map((name) => ({
      name,
      state: running.includes(name) ? "running" : "exited",
    }));
  }

  return {
    name: "docker",
    check: createCheck(connected),
    ensure: (spec) => inTurn(spec.name, () => ensure(spec)),
    async inspect(name) {
      const container = await find(name);
      return container === null ? "absent" : await phaseOf((await connected()).engine, container);
    },
    list,
    stop: (name) => inTurn(name, () => stop(name)),
    remove: (name) => inTurn(name, () => remove(name)),
    lastWords: async (name) => await lastWordsOf(name, await find(name), await connected()),
  };
}

/** `absent`: nothing has begun in it, whether it was started or not. */
async function phaseOf(
  engine: Engine,
  container: Container,
): Promise<"absent" | "running" | "exited"> {
  if (container.state === "running") return "running";
  if (container.state === "exited" && container.exitCode !== RUNNER_EXIT.notBegun) return "exited";
  const lock = await engine.getArchive(container.id, `${INSIDE.own}/${LOCK}`);
  return lock === null ? "absent" : "exited";
}
