import { mkdir } from "node:fs/promises";
import { createBubblewrapKind } from "./bubblewrap/bubblewrap.ts";
import { createControlGroups } from "./control-groups.ts";
import { createDockerRuntime } from "./docker/docker.ts";
import { createLocalRuntime } from "./local-runtime.ts";
import { ownerOf } from "./owner.ts";
import { createProcessTable } from "./process-table.ts";
import { createProcessKind } from "./process/process.ts";
import type { Runtime, RuntimeHost } from "./runtime.ts";

/**
 * The runtime of that name, whether it is available or not; `auto` takes the strongest that is. `process` isolates nothing,
 * so it is never taken unless it was named.
 */
export async function createRuntime(
  name: Runtime["name"] | "auto",
  host: RuntimeHost,
): Promise<Runtime> {
  switch (name) {
    case "auto":
      return await strongest(host);
    case "bubblewrap":
    case "process": {
      const { sandboxesDir } = host;
      await mkdir(sandboxesDir, { recursive: true, mode: 0o700 });
      const owner = await ownerOf(sandboxesDir);
      const groups = createControlGroups(owner);
      const kind = (name === "process" ? createProcessKind : createBubblewrapKind)(host, groups);
      return createLocalRuntime({ sandboxesDir, kind, table: createProcessTable(owner), groups });
    }
    case "docker":
      return createDockerRuntime(host);
    default:
      return name satisfies never;
  }
}

async function strongest(host: RuntimeHost): Promise<Runtime> {
  const reasons: string[] = [];
  for (const name of ["docker", "bubblewrap"] as const) {
    const runtime = await createRuntime(name, host);
    const check = await runtime.check();
    if (check.available) return runtime;
    reasons.push(`${name}: ${check.reason}`);
  }
  throw new Error(
    `no runtime that isolates sessions is available (${reasons.join("; ")}). Mend one of them, or name the runtime "process" to run sessions without any isolation`,
  );
}
