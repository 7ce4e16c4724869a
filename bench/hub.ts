import { startHub } from "../test/kit/hub/hub.ts";
import type { TestHub } from "../test/kit/hub/hub.ts";
import type { TestEngine } from "../test/kit/runtimes/engine.ts";
import { createGitForge } from "../test/kit/forge/git-forge.ts";

export const REPOSITORY = "octo/greeter";
export const GITHUB_SECRET = "secret-of-the-bench";
const TOKEN = "token-of-the-bench";

/** Settings of every hub that is measured. */
export function benchSettings(options: {
  slots?: number;
  /** As many as in all, when left out. */
  perRepository?: number;
  prepared?: number;
}): Record<string, string> {
  const { slots = 4, perRepository = slots, prepared = 0 } = options;
  return {
    LOG_LEVEL: "warn",
    CLAUDE_HUB_PREPARED_SANDBOXES: String(prepared),
    CLAUDE_HUB_MAX_SESSIONS: String(slots),
    CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: String(perRepository),
  };
}

/** A hub with its embedded database, as it is installed; agents are stand-ins. */
export async function openBenchHub(options: {
  agentPath: string;
  slots?: number;
  /** Another database than the embedded one. */
  databaseUrl?: string;
  /** Makes containers; else sandboxes are plain processes. */
  engine?: TestEngine;
  /** Sandboxes made in advance. */
  prepared?: number;
  env?: Record<string, string>;
}): Promise<TestHub> {
  const forge = await createGitForge({ token: TOKEN });
  await forge.repository(REPOSITORY, "greeter");
  const hub = await startHub({
    agentPath: options.agentPath,
    ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
    ...(options.engine === undefined ? {} : { runtime: "docker" as const, engine: options.engine }),
    forge: { url: forge.url, token: TOKEN },
    env: { ...benchSettings(options), GITHUB_WEBHOOK_SECRET: GITHUB_SECRET, ...options.env },
  });
  const dispose = hub[Symbol.asyncDispose];
  return Object.defineProperty(hub, Symbol.asyncDispose, {
    async value() {
      await dispose();
      await forge[Symbol.asyncDispose]();
    },
  });
}
