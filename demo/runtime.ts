import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createRuntime } from "../src/runtimes/registry.ts";
import { testContainers } from "../test/kit/runtimes/containers.ts";
import { createTempDir } from "../test/kit/temp-dir.ts";

export const RUNTIMES = ["docker", "bubblewrap", "process"] as const;
type Name = (typeof RUNTIMES)[number];

/** What was named, null when there is no such runtime; else what isolates, if this machine can; else plain processes. */
export async function chooseRuntime(named: string | undefined): Promise<Name | null> {
  if (named !== undefined) return RUNTIMES.find((name) => name === named) ?? null;
  await using dir = await createTempDir("probe");
  for (const name of ["sandboxes", "gateway"]) await mkdir(join(dir.path, name));
  const runtime = await createRuntime("bubblewrap", {
    sandboxesDir: join(dir.path, "sandboxes"),
    gatewayDir: join(dir.path, "gateway"),
    gatewaySocketName: "hub.sock",
    runnerPath: join(import.meta.dirname, "../dist/runner.mjs"),
    nodePath: process.execPath,
    agentPaths: [],
    containers: testContainers({ agentInImage: true }),
  });
  return (await runtime.check()).available ? "bubblewrap" : "process";
}
