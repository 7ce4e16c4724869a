import { PLAN_BOUNDS } from "../core/plan.ts";
import { amount, choice, flag, names, size, text, whole } from "./setting.ts";

import { CONTAINER_SETTINGS } from "./container-settings.ts";

const MINUTE_MS = 60_000;

/** The agent, its sandbox and its bounds. */
export const SESSION_SETTINGS = {
  agentPath: text("CLAUDE_CODE_PATH", "Claude Code's executable.", {
    fallbackText: "`claude` beside the hub, then in `PATH`",
  }),
  runtime: choice(
    "CLAUDE_HUB_RUNTIME",
    "What makes sandboxes. `auto` takes the strongest present; `process` isolates nothing and must be named.",
    ["auto", "docker", "bubblewrap", "process"],
    { fallback: "auto" },
  ),
  ...CONTAINER_SETTINGS,
  lifetimeMs: whole(
    "CONTAINER_LIFETIME_MS",
    "Time limit of a session that names none, from the moment it gets a slot (ms).",
    { min: 1_000, max: 604_800_000, fallback: "7200000" },
  ),
  memoryLimit: size("CLAUDE_CONTAINER_MEMORY_LIMIT", "Memory of one sandbox.", { fallback: "4g" }),
  processLimit: whole("CLAUDE_CONTAINER_PIDS_LIMIT", "Processes of one sandbox.", {
    min: 16,
    max: 1_000_000,
    fallback: "1024",
  }),
  maxSessions: whole("CLAUDE_HUB_MAX_SESSIONS", "Sessions at work at the same time.", {
    min: 1,
    max: 10_000,
    fallback: "4",
  }),
  maxSessionsPerRepository: whole(
    "CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY",
    "Of these, of one repository.",
    { min: 1, max: 10_000, fallback: "2" },
  ),
  planTasks: whole("CLAUDE_HUB_PLAN_MAX_TASKS", "Tasks that one plan may have.", {
    min: 1,
    max: PLAN_BOUNDS.tasks,
    fallback: "50",
  }),
  preparedSandboxes: whole(
    "CLAUDE_HUB_PREPARED_SANDBOXES",
    "Sandboxes made in advance for sessions that are created and not started yet; 0: none.",
    { min: 0, max: 1_000, fallback: "2" },
  ),
  preparedMaxAgeMs: whole(
    "CLAUDE_HUB_PREPARED_MAX_AGE_MS",
    "How long such a sandbox waits for the start (ms).",
    { min: 1_000, max: 1_440 * MINUTE_MS, fallback: "600000" },
  ),
  maxTokens: whole("CLAUDE_HUB_SESSION_MAX_TOKENS", "Tokens that one session may use.", {
    min: 1,
    max: 1_000_000_000_000,
    fallbackText: "no limit",
  }),
  maxCostUsd: amount(
    "CLAUDE_HUB_SESSION_MAX_COST_USD",
    "Dollars that one session may use, by list prices.",
    { fallbackText: "no limit" },
  ),
  pushBranches: names(
    "CLAUDE_HUB_PUSH_BRANCHES",
    "Branches that sessions may push; `*` at the end stands for anything.",
    { fallback: "claude/*" },
  ),
  pushWorkflows: flag("CLAUDE_HUB_PUSH_WORKFLOWS", "May a push change `.github/workflows`?", {
    fallback: "false",
  }),
  graceMs: whole(
    "CLAUDE_HUB_CANCEL_GRACE_MS",
    "How long a sandbox that was told to end may take (ms).",
    { min: 100, max: 10 * MINUTE_MS, fallback: "10000" },
  ),
  stallMs: whole("CLAUDE_HUB_STALL_MS", "Silence of an agent after which an event says so (ms).", {
    min: 100,
    max: 1_440 * MINUTE_MS,
    fallback: "300000",
  }),
  pauseMs: whole(
    "CLAUDE_HUB_PAUSE_MS",
    "How long a session may be paused before it is ended, with its work kept (ms).",
    { min: 1_000, max: 525_600 * MINUTE_MS, fallback: "604800000" },
  ),
  idleMs: whole(
    "CLAUDE_HUB_IDLE_MS",
    "How long a session that was interrupted waits for a message before it ends (ms).",
    { min: 1_000, max: 1_440 * MINUTE_MS, fallback: "900000" },
  ),
  forgeWaitMs: whole(
    "CLAUDE_HUB_FORGE_WAIT_MS",
    "How long a session that was started waits to begin while the forge is away (ms).",
    { min: 1_000, max: 15 * MINUTE_MS, fallback: "600000" },
  ),
  setupMs: whole(
    "CLAUDE_HUB_SETUP_TIMEOUT_MS",
    "Time for a repository's setup: its hook and its commands (ms).",
    {
      min: 1_000,
      max: 120 * MINUTE_MS,
      fallback: "600000",
    },
  ),
  logBytes: size(
    "CLAUDE_HUB_SESSION_LOG_BYTES",
    "Log of one session; what its agent says beyond that is not kept.",
    { fallback: "256m" },
  ),
  spoolBytes: size("CLAUDE_HUB_SPOOL_BYTES", "Events that a runner keeps while the hub is away.", {
    fallback: "64m",
  }),
};
