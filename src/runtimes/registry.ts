import { mkdir } from "node:fs/promises";
import { createBubblewrapKind } from "./bubblewrap/bubblewrap.ts";
import { createControlGroups } from "./control-groups.ts";
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
    case "auto": {
      const runtime = await createRuntime("bubblewrap", host);
      const check = await runtime.check();
      if (check.available) return runtime;
      throw new Error(
        `no runtime that isolates sessions is available: ${check.reason}. Install bubblewrap (package "bubblewrap"), or name the runtime "process" to run sessions without any isolation`,
      );
    }
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
      throw new Error('the runtime "docker" is not part of this version yet');
    default:
      return name satisfies never;
  }
}
