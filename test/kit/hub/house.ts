import { inject } from "vitest";
import { claudeCodePath } from "../agent/claude-code.ts";
import { createTestDatabase } from "./database.ts";
import { createGitForge } from "../forge/git-forge.ts";
import type { GitForge } from "../forge/git-forge.ts";
import { startHub } from "./hub.ts";
import type { HubOptions, TestHub } from "./hub.ts";
import { createScriptedModel } from "../model/scripted-model.ts";
import type { ScriptedModel } from "../model/scripted-model.ts";
import type { Scenario } from "../model/scenario.ts";
import { standInAgentPath, standInNoopPath } from "../agent/stand-in.ts";

export const REPOSITORY = "octo/greeter";
export const FORGE_TOKEN = "token-of-the-test-forge";
export const MODEL_KEY = "key-of-the-test-model";

export const AGENTS = { real: claudeCodePath, standIn: standInAgentPath, noop: standInNoopPath };

export type AgentName = keyof typeof AGENTS;

/** A hub with all that it needs around it: database, forge with one repository, model. */
export interface House extends AsyncDisposable {
  hub: TestHub;
  forge: GitForge;
  model: ScriptedModel;
  databaseUrl: string;
}

export async function openHouse(
  options: Omit<HubOptions, "forge" | "model" | "databaseUrl" | "agentPath"> & {
    agent?: AgentName;
    scenario?: Scenario;
    /** True: the hub runs its own server. */
    embedded?: boolean;
    /** Stands between the hub and its database. */
    throughDatabase?: (url: string) => Promise<{ url: string } & AsyncDisposable>;
  } = {},
): Promise<House> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await createTestDatabase(inject("databaseServer")));
  const between = options.throughDatabase;
  const proxy = between === undefined ? null : parts.use(await between(database.url));
  const forge = parts.use(await createGitForge({ token: FORGE_TOKEN }));
  await forge.repository(REPOSITORY, "greeter");
  const scenario = options.scenario ?? { conversations: [] };
  const model = parts.use(await createScriptedModel({ apiKey: MODEL_KEY, scenario }));
  const hub = parts.use(
    await startHub({
      ...options,
      ...(options.embedded === true ? {} : { databaseUrl: proxy?.url ?? database.url }),
      agentPath: AGENTS[options.agent ?? "standIn"],
      forge: { url: forge.url, token: FORGE_TOKEN },
      model: { url: model.url, apiKey: MODEL_KEY },
    }),
  );
  const all = parts.move();
  return {
    hub,
    forge,
    model,
    databaseUrl: database.url,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** What a session needs at the least; more goes on top. */
export function session(
  requirements: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { type: "implementation", project: { repository: REPOSITORY, requirements }, ...more };
}
