import { runtimeContract } from "./kit/runtime-contract.ts";
import { createControlGroups } from "../src/runtimes/control-groups.ts";

const limits = await createControlGroups("test").abilities();

runtimeContract("process", { name: "process", abilities: { isolation: "none", ...limits } });
runtimeContract("bubblewrap", {
  name: "bubblewrap",
  abilities: { isolation: "namespaces", ...limits, processLimit: true },
});
runtimeContract("bubblewrap, hub is not root", {
  name: "bubblewrap",
  uid: 65_533,
  abilities: { isolation: "namespaces", memoryLimit: false, processLimit: true },
});
