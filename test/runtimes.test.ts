import { createControlGroups } from "../src/runtimes/control-groups.ts";
import { isolationContract } from "./kit/runtimes/isolation-contract.ts";
import type { Adapter } from "./kit/runtimes/runtime-adapter.ts";
import { runtimeContract } from "./kit/runtimes/runtime-contract.ts";
import { runtimeEndingContract } from "./kit/runtimes/runtime-ending-contract.ts";

const limits = await createControlGroups("test").abilities();

const adapters: Record<string, Adapter> = {
  process: { name: "process", abilities: { isolation: "none", ...limits } },
  bubblewrap: {
    name: "bubblewrap",
    abilities: { isolation: "namespaces", ...limits, processLimit: true },
  },
};
// Where the tests are not root, neither is the hub above.
if (process.getuid?.() === 0)
  adapters["bubblewrap, hub is not root"] = {
    name: "bubblewrap",
    uid: 65_533,
    abilities: { isolation: "namespaces", memoryLimit: false, processLimit: true },
  };

for (const [label, adapter] of Object.entries(adapters)) {
  runtimeContract(label, adapter);
  runtimeEndingContract(label, adapter);
  if (adapter.abilities.isolation !== "none") isolationContract(label, adapter);
}
