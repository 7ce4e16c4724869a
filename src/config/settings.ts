import { z } from "zod";
import { amount, choice, flag, from, names, secret, size, text, url, whole } from "./setting.ts";

const MINUTE_MS = 60_000;
const WEB = /^https?$/;

// Older installations write `true` for "one proxy stands in front".
const hops = z
  .string()
  .transform((value) => ({ true: "1", false: "0" })[value] ?? value)
  .pipe(
    z
      .string()
      .regex(/^\d{1,2}$/)
      .transform(Number),
  );

const userName = z
  .string()
  .transform((value) => value.replace(/^@/, ""))
  .pipe(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]*(\[bot\])?$/));

/** Every setting there is. The names in capitals that the older system had keep their meaning. */
export const SETTINGS = {
  host: text("HOST", "Address to listen on.", { fallback: "127.0.0.1" }),
  port: whole("PORT", "Port to listen on; 0 takes any free one.", {
    min: 0,
    max: 65_535,
    fallback: "3002",
  }),
  allowedHosts: names(
    "ALLOWED_HOSTS",
    "Names, besides loopback names and `HOST`, under which the hub answers; a request for another `Host` is refused.",
    { fallback: "" },
  ),
  trustProxy: from(
    "TRUST_PROXY",
    "How many reverse proxies stand in front; that many entries of `X-Forwarded-For` are believed. `true` is 1.",
    hops,
    { expected: "a number of proxies, true or false", fallback: "0" },
  ),
  logLevel: choice(
    "LOG_LEVEL",
    "How much is logged.",
    ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    { fallback: "info" },
  ),
  dir: text("CLAUDE_HUB_DIR", "Directory for everything that the hub keeps; mode 0700.", {
    fallback: "~/.claude-hub",
  }),
  databaseUrl: secret(
    "DATABASE_URL",
    "PostgreSQL to use instead of the embedded server, as `postgres://…`.",
    {
      fallbackText: "embedded",
      expected: "an address that begins with postgres:// or postgresql://",
    },
  ),
  databaseConnections: whole(
    "CLAUDE_HUB_DATABASE_CONNECTIONS",
    "Connections to the database that requests share.",
    { min: 2, max: 1_000, fallback: "10" },
  ),

  webhookSecret: secret("CLAUDE_WEBHOOK_SECRET", "Bearer token of API clients.", {
    fallbackText: "made at the first start, in `webhook-secret` in the data directory",
  }),
  githubWebhookSecret: secret(
    "GITHUB_WEBHOOK_SECRET",
    "Secret with which GitHub signs its deliveries; without it they are refused.",
  ),
  githubToken: secret(
    "GITHUB_TOKEN",
    "Token with which the hub reads and pushes repositories; it never enters a sandbox.",
  ),
  githubApiUrl: url("GITHUB_API_URL", "GitHub's REST API.", WEB, {
    fallback: "https://api.github.com",
  }),
  githubServerUrl: url(
    "GITHUB_SERVER_URL",
    "Where repositories are cloned from, as `<server>/<owner>/<name>.git`.",
    WEB,
    { fallback: "https://github.com" },
  ),
  botUsername: from("BOT_USERNAME", "The bot's user name, with or without `@`.", userName, {
    expected: "a GitHub user name",
    fallback: "ClaudeBot",
  }),
  botEmail: text("BOT_EMAIL", "E-mail address of the bot's commits.", {
    fallback: "claude@example.com",
  }),
  authorizedUsers: names("AUTHORIZED_USERS", "GitHub users whose mentions the bot follows.", {
    fallback: "",
  }),

  anthropicApiKey: secret("ANTHROPIC_API_KEY", "Key for the model; it never enters a sandbox."),
  anthropicBaseUrl: url("ANTHROPIC_BASE_URL", "The model's API.", WEB, {
    fallback: "https://api.anthropic.com",
  }),
  anthropicModel: from(
    "ANTHROPIC_MODEL",
    "Model that agents use.",
    z.string().regex(/^[\w.:@/-]{1,200}$/),
    { expected: "the name of a model", fallbackText: "the agent's own choice" },
  ),
  agentPath: text("CLAUDE_CODE_PATH", "Claude Code's executable.", {
    fallbackText: "`claude` beside the hub, then in `PATH`",
  }),

  runtime: choice(
    "CLAUDE_HUB_RUNTIME",
    "What makes sandboxes. `auto` takes the strongest present; `process` isolates nothing and must be named.",
    ["auto", "docker", "bubblewrap", "process"],
    { fallback: "auto" },
  ),
  containerImage: text("CLAUDE_CONTAINER_IMAGE", "Image of session containers.", {
    fallback: "claudecode:latest",
  }),
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
  setupMs: whole("CLAUDE_HUB_SETUP_TIMEOUT_MS", "Time for a repository's setup hook (ms).", {
    min: 1_000,
    max: 120 * MINUTE_MS,
    fallback: "600000",
  }),
  spoolBytes: size("CLAUDE_HUB_SPOOL_BYTES", "Events that a runner keeps while the hub is away.", {
    fallback: "64m",
  }),

  mirrorMaxAgeMs: whole(
    "CLAUDE_HUB_MIRROR_MAX_AGE_MS",
    "How old a mirror may be when it is read (ms).",
    { min: 0, max: 60 * MINUTE_MS, fallback: "3000" },
  ),
  gitProcesses: whole("CLAUDE_HUB_GIT_PROCESSES", "git processes for sandboxes at the same time.", {
    min: 1,
    max: 1_000,
    fallback: "8",
  }),
  pushBytes: size("CLAUDE_HUB_PUSH_BYTES", "Largest push.", { fallback: "256m" }),

  webhookBodyBytes: size(
    "CLAUDE_HUB_WEBHOOK_BODY_BYTES",
    "Largest body of a webhook; GitHub sends up to 25 MB.",
    { fallback: "25m" },
  ),
  apiBodyBytes: size("CLAUDE_HUB_API_BODY_BYTES", "Largest body of an API request.", {
    fallback: "2m",
  }),
  ratePerAddress: whole(
    "CLAUDE_HUB_WEBHOOK_RATE_PER_ADDRESS",
    "Webhook requests of one client address in a minute.",
    { min: 1, max: 1_000_000_000, fallback: "3000000" },
  ),
  ratePerToken: whole(
    "CLAUDE_HUB_WEBHOOK_RATE_PER_TOKEN",
    "Webhook requests with one token in a minute.",
    { min: 1, max: 1_000_000_000, fallback: "3000000" },
  ),
  authFailures: whole(
    "CLAUDE_HUB_AUTH_FAILURES_PER_ADDRESS",
    "Wrong tokens and signatures from one client address in a minute, before it is told to wait.",
    { min: 1, max: 1_000_000, fallback: "60" },
  ),
  sseConnections: whole("CLAUDE_HUB_SSE_CONNECTIONS", "Event streams open at the same time.", {
    min: 1,
    max: 100_000,
    fallback: "500",
  }),
  sseHeartbeatMs: whole(
    "CLAUDE_HUB_SSE_HEARTBEAT_MS",
    "Pause between the heartbeats of an event stream (ms).",
    { min: 100, max: 10 * MINUTE_MS, fallback: "15000" },
  ),
  retentionDays: whole(
    "CLAUDE_HUB_RETENTION_DAYS",
    "Days after which ended sessions and deliveries are deleted; 0 keeps them.",
    { min: 0, max: 36_500, fallback: "90" },
  ),
};

export type SettingName = keyof typeof SETTINGS;
