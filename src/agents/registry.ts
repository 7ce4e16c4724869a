import type { Agent } from "./agent.ts";
import { claudeCode } from "./claude-code/claude-code.ts";

const AGENTS: readonly Agent[] = [claudeCode];

/** @throws when there is no agent of that name. */
export function agentNamed(name: string): Agent {
  const found = AGENTS.find((agent) => agent.name === name);
  if (found === undefined) throw new Error(`there is no agent ${JSON.stringify(name)}`);
  return found;
}
