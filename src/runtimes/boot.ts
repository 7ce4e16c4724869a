import { join } from "node:path";
import type { RunnerBoot } from "../core/job.ts";
import type { RuntimeHost, SandboxSpec } from "./runtime.ts";

/** Directories of a sandbox, as its runner sees them. */
export interface SandboxPlaces {
  workspace: string;
  home: string;
  spool: string;
  /** Where the gateway's socket is. */
  gateway: string;
}

/** What a sandbox's runner is told when it starts. */
export function bootOf(
  host: Pick<RuntimeHost, "gatewaySocketName">,
  spec: SandboxSpec,
  places: SandboxPlaces,
): RunnerBoot {
  return {
    sessionId: spec.sessionId,
    sandboxName: spec.name,
    gatewaySocket: join(places.gateway, host.gatewaySocketName),
    token: spec.token,
    workspaceDir: places.workspace,
    homeDir: places.home,
    spoolDir: places.spool,
  };
}
