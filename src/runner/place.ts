import type { Job, RunnerBoot } from "../core/job.ts";
import { proxyEnvironment } from "./forwarder.ts";
import type { GatewayClient } from "./gateway.ts";
import { createGit } from "./git.ts";
import type { Git } from "./git.ts";
import type { Outbox } from "./outbox.ts";
import { EMPTY_TREE, prepareWorkspace } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

export const GIT_ENV = { GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_NOSYSTEM: "1" };

/** Where a session is performed, and what it is. */
export interface Place {
  boot: RunnerBoot;
  job: Job;
  gateway: GatewayClient;
  gatewayUrl: string;
  searchPath: string;
}

export function environmentOf({ boot, gatewayUrl, searchPath }: Place): Record<string, string> {
  const own = { PATH: searchPath, HOME: boot.homeDir, LANG: "C.UTF-8" };
  return { ...own, ...GIT_ENV, ...proxyEnvironment(gatewayUrl) };
}

export function gitOf(place: Place): Git {
  return createGit({ cwd: place.boot.workspaceDir, env: environmentOf(place) });
}

/** Where the session has no tools to look at one, the workspace stays the empty directory that it is. */
export async function cloneWorkspace(place: Place, outbox: Outbox): Promise<Workspace> {
  const { boot, job, gatewayUrl } = place;
  if (job.toolset === "none") return { baseSha: EMPTY_TREE };
  const dir = boot.workspaceDir;
  return await prepareWorkspace({ job, git: gitOf(place), dir, gatewayUrl, outbox });
}
