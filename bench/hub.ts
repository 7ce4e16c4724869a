import { startHub } from "../test/kit/hub.ts";
import type { TestHub } from "../test/kit/hub.ts";
import type { TestEngine } from "../test/kit/engine.ts";
import { createGitForge } from "../test/kit/git-forge.ts";

export const REPOSITORY = "octo/greeter";
export const GITHUB_SECRET = "secret-of-the-bench";
const TOKEN = "token-of-the-bench";

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
  const slots = String(options.slots ?? 4);
  const hub = await startHub({
    agentPath: options.agentPath,
    ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
    ...(options.engine === undefined ? {} : { runtime: "docker" as const, engine: options.engine }),
    forge: { url: forge.url, token: TOKEN },
    env: {
      LOG_LEVEL: "warn",
      GITHUB_WEBHOOK_SECRET: GITHUB_SECRET,
      CLAUDE_HUB_PREPARED_SANDBOXES: String(options.prepared ?? 0),
      CLAUDE_HUB_MAX_SESSIONS: slots,
      CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: slots,
      ...options.env,
    },
  });
  const dispose = hub[Symbol.asyncDispose];
  return Object.defineProperty(hub, Symbol.asyncDispose, {
    async value() {
      await dispose();
      await forge[Symbol.asyncDispose]();
    },
  });
}
