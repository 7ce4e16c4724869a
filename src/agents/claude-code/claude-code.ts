import { join } from "node:path";
import type { Job } from "../../core/job.ts";
import type { Agent, AgentCommand, AgentPlace } from "../agent.ts";
import { claudeCodeInput, userLine } from "./input.ts";
import { modelEnvironment } from "./model-environment.ts";
import { createClaudeCodeOutput } from "./output.ts";

/** Reading and thinking only: nothing in this list can change a file or run a command. */
const READING_TOOLS = "Read,Glob,Grep,LS,NotebookRead,TodoWrite,Task";

/** The final answer, which Claude Code asks of the model as one more tool. */
const ANSWER_SCHEMA = {
  type: "object",
  properties: {
    summary: { type: "string", description: "What was done and found, in a few sentences" },
    nextSteps: { type: "array", items: { type: "string" }, description: "What people should do" },
  },
  required: ["summary", "nextSteps"],
  additionalProperties: false,
} as const;

/** It waits for other sessions with one call, for as long as any session may take. */
const LONGEST_CALL_MS = 604_800_000;

/** Claude Code without a terminal: `claude -p`, one JSON object a line. */
export const claudeCode: Agent = {
  name: "claude-code",
  input: claudeCodeInput,
  command: (job, place) => ({
    argv: argumentsOf(job, place),
    env: environmentOf(job, place),
    stdin: userLine(job.prompt),
  }),
  // One directory for each directory that it has worked in, named after its path.
  conversationPath: (agentSessionId, { workspaceDir, homeDir }) =>
    join(
      homeDir,
      ".claude",
      "projects",
      workspaceDir.replaceAll(/[^A-Za-z0-9]/g, "-"),
      `${agentSessionId}.jsonl`,
    ),
  createOutput: createClaudeCodeOutput,
};

function argumentsOf(job: Job, place: AgentPlace): AgentCommand["argv"] {
  return [
    job.agentExecutable,
    "--print",
    "--output-format",
    "stream-json",
    "--verbose",
    "--input-format",
    "stream-json",
    // Says when a message has got into the conversation.
    "--replay-user-messages",
    ...conversationArguments(job),
    "--append-system-prompt",
    job.systemPrompt,
    "--json-schema",
    JSON.stringify(job.answerSchema ?? ANSWER_SCHEMA),
    // What the user's own machine would add does not exist here; what the repository adds has been vetted.
    "--setting-sources",
    "project",
    ...(job.model === null ? [] : ["--model", job.model]),
    // Nobody is there to be asked. The sandbox is what confines the agent, not its own questions.
    // The provider would search; where it may not, the agent need not try.
    ...(job.modelForm.serverTools.includes("web_search") ? [] : ["--disallowedTools", "WebSearch"]),
    ...toolArguments(job),
    ...askArguments(job),
    ...hubToolArguments(job, place),
  ];
}

/** What a person has to allow is asked for on its standard output. Its own rules: who asks comes before who allows. */
function askArguments({ askTools }: Job): string[] {
  if (askTools.length === 0) return [];
  const settings = JSON.stringify({ permissions: { ask: askTools } });
  return ["--settings", settings, "--permission-prompt-tool", "stdio"];
}

function conversationArguments({ agentSessionId, resume, fork }: Job): string[] {
  if (fork === null) return [resume ? "--resume" : "--session-id", agentSessionId];
  const upTo = fork.upTo === null ? [] : ["--resume-session-at", fork.upTo];
  return ["--resume", fork.from, "--fork-session", "--session-id", agentSessionId, ...upTo];
}

function toolArguments({ toolset, policy }: Job): string[] {
  // The way of the final answer is a tool, too, and stays.
  if (toolset === "none") return ["--tools", ""];
  return policy.edit ? ["--dangerously-skip-permissions"] : ["--tools", READING_TOOLS];
}

/** The hub's own tools, and no others: a repository's `.mcp.json` adds none. */
function hubToolArguments({ hubTools, toolset }: Job, { gatewayUrl }: AgentPlace): string[] {
  if (hubTools.length === 0) return ["--strict-mcp-config"];
  const patience = toolset === "coordination" ? { timeout: LONGEST_CALL_MS } : {};
  const servers = { hub: { type: "http", url: `${gatewayUrl}/tools`, ...patience } };
  return [
    "--strict-mcp-config",
    "--mcp-config",
    JSON.stringify({ mcpServers: servers }),
    "--allowedTools",
    hubTools.map((name) => `mcp__hub__${name}`).join(","),
  ];
}

function environmentOf(job: Job, place: AgentPlace): Record<string, string> {
  return {
    PATH: place.searchPath,
    HOME: place.homeDir,
    LANG: "C.UTF-8",
    TERM: "dumb",
    ...place.gitEnv,
    ...place.proxyEnv,
    ...modelEnvironment(job.modelForm, `${place.gatewayUrl}/model`),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_ERROR_REPORTING: "1",
    // Who is told that a call goes on elsewhere asks for it again and again, and each time the model.
    CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: "0",
    // As root it refuses to work without asking, unless it knows that it is confined.
    IS_SANDBOX: "1",
  };
}
