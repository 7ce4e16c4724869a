import { z } from "zod";
import {
  BEARER_TOKEN,
  BEARER_TOKEN_EXPECTED,
  choice,
  from,
  names,
  secret,
  size,
  text,
  whole,
} from "./setting.ts";

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

/** Where the hub listens, where it keeps things, and how much it takes from callers. */
export const SERVING_SETTINGS = {
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
      pattern: /^postgres(ql)?:\/\/./,
      fallbackText: "embedded",
      expected: "an address that begins with postgres:// or postgresql://",
    },
  ),
  databaseConnections: whole(
    "CLAUDE_HUB_DATABASE_CONNECTIONS",
    "Connections to the database that requests share.",
    { min: 2, max: 1_000, fallback: "10" },
  ),
  retentionDays: whole(
    "CLAUDE_HUB_RETENTION_DAYS",
    "Days after which ended sessions are deleted; 0 keeps them.",
    { min: 0, max: 36_500, fallback: "90" },
  ),
  deliveryRetentionDays: whole(
    "CLAUDE_HUB_DELIVERY_RETENTION_DAYS",
    "Days after which deliveries that were worked off are deleted, and no later than their sessions; GitHub may send again what is three days old.",
    { min: 4, max: 36_500, fallback: "30" },
  ),
  webhookSecret: secret("CLAUDE_WEBHOOK_SECRET", "Bearer token of API clients.", {
    pattern: BEARER_TOKEN,
    expected: BEARER_TOKEN_EXPECTED,
    fallbackText: "made at the first start, in `webhook-secret` in the data directory",
  }),
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
    { min: 100, max: 600_000, fallback: "15000" },
  ),
  mcpCalls: whole(
    "CLAUDE_HUB_MCP_CALLS",
    "Requests by MCP open at the same time; a call that waits for sessions is one.",
    { min: 1, max: 100_000, fallback: "500" },
  ),
  mcpCallsPerToken: whole("CLAUDE_HUB_MCP_CALLS_PER_TOKEN", "And with one token.", {
    min: 1,
    max: 100_000,
    fallback: "100",
  }),
  mcpWaitMs: whole(
    "CLAUDE_HUB_MCP_WAIT_MS",
    "The longest that one call by MCP waits for sessions (ms).",
    { min: 1_000, max: 604_800_000, fallback: "3600000" },
  ),
};
