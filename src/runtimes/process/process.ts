import { access } from "node:fs/promises";
import { dirname } from "node:path";
import { bootOf } from "../boot.ts";
import type { ControlGroups } from "../control-groups.ts";
import type { LocalKind } from "../local-runtime.ts";
import type { RuntimeHost } from "../runtime.ts";
import { searchPath } from "../search-path.ts";

/** A plain process: what runs in it may do whatever the hub may. For trying things out, and for trusted work. */
export function createProcessKind(host: RuntimeHost, groups: ControlGroups): LocalKind {
  return {
    name: "process",
    async check() {
      try {
        await access("/proc/self/environ");
      } catch {
        return { available: false, reason: "needs Linux: sandboxes are found through /proc" };
      }
      return { available: true, abilities: { isolation: "none", ...(await groups.abilities()) } };
    },
    async prepare(spec, dir) {
      return {
        argv: [host.nodePath, host.runnerPath, spec.name],
        boot: bootOf(host, spec, { ...dir, gateway: host.gatewayDir }),
      };
    },
    environment: (dir) => ({ PATH: searchPath(dirname(host.nodePath)), HOME: dir.home }),
  };
}
