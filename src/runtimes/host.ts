import { join } from "node:path";
import type { Config } from "../config/config.ts";
import type { RuntimeHost } from "./runtime.ts";

/** What a hub in the data directory `dir` builds its runtimes from. */
export function runtimeHost(
  config: Pick<Config, "agent" | "containers">,
  parts: {
    dir: string;
    /** Executable of the agent on this machine; null: there is none. */
    agentPath: string | null;
    runnerPath: string;
    hubId: string;
  },
): RuntimeHost {
  const { dir, agentPath, runnerPath, hubId } = parts;
  return {
    sandboxesDir: join(dir, "sandboxes"),
    gatewayDir: join(dir, "gateway"),
    gatewaySocketName: "hub.sock",
    runnerPath,
    nodePath: process.execPath,
    agentPaths: agentPath === null ? [] : [agentPath],
    containers: {
      ...config.containers,
      purpose: "sessions",
      hubId,
      agentInImage: config.agent.path === null,
    },
  };
}

/** The agent's executable as it is called inside of sandboxes; null: there is none. */
export function agentInside(
  runtime: "process" | "bubblewrap" | "docker",
  config: Pick<Config, "agent">,
  agentPath: string | null,
): string | null {
  return runtime === "docker" && config.agent.path === null ? "claude" : agentPath;
}
