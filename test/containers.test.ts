import { expect, inject, test } from "vitest";
import { containerContract } from "./kit/runtimes/container-contract.ts";
import { findEngine } from "./kit/runtimes/engine.ts";
import { isolationContract } from "./kit/runtimes/isolation-contract.ts";
import type { Adapter } from "./kit/runtimes/runtime-adapter.ts";
import { runtimeContract } from "./kit/runtimes/runtime-contract.ts";
import { runtimeEndingContract } from "./kit/runtimes/runtime-ending-contract.ts";

const { engines, reason } = await findEngine(inject("engineDir"));

test.skipIf(reason !== null)(
  `containers have an engine (skipped where no container engine can be started: ${reason ?? ""})`,
  () => {
    expect(reason).toBeNull();
  },
);

for (const engine of engines) {
  const adapter: Adapter = {
    name: "docker",
    engine,
    abilities: { isolation: "container", memoryLimit: true, processLimit: true },
  };
  runtimeContract("docker", adapter);
  runtimeEndingContract("docker", adapter);
  isolationContract("docker", adapter);
  containerContract("docker", adapter, engine);
  const proxied = { ...adapter, proxied: true };
  runtimeContract("docker through the proxy", proxied);
  runtimeEndingContract("docker through the proxy", proxied);
  containerContract("docker through the proxy", proxied, engine);
}
