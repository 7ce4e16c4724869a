import { existsSync } from "node:fs";
import { expect, inject, test } from "vitest";
import { containerContract } from "./kit/runtimes/container-contract.ts";
import { findEngine } from "./kit/runtimes/engine.ts";
import { isolationContract } from "./kit/runtimes/isolation-contract.ts";
import type { Adapter } from "./kit/runtimes/runtime-adapter.ts";
import { runtimeContract } from "./kit/runtimes/runtime-contract.ts";
import { runtimeEndingContract } from "./kit/runtimes/runtime-ending-contract.ts";

const { engines, reason } = await findEngine(inject("engineDir"), "podman");

test.skipIf(reason !== null)(
  `Podman can be started (skipped where no container engine can be started: ${reason ?? ""})`,
  () => {
    expect(reason).toBeNull();
  },
);

// The same runtime on Podman's socket that speaks Docker's API.
for (const engine of engines) {
  const adapter: Adapter = {
    name: "docker",
    engine,
    ...(existsSync("/sys/fs/cgroup/cgroup.controllers") ? {} : { wordsOfMemory: "" }),
    abilities: { isolation: "container", memoryLimit: true, processLimit: true },
  };
  runtimeContract("docker on Podman", adapter);
  runtimeEndingContract("docker on Podman", adapter);
  isolationContract("docker on Podman", adapter);
  containerContract("docker on Podman", adapter, engine);
}
