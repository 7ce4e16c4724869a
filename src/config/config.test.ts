import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { ruleText } from "../core/egress.ts";
import { loadConfig, searchPath } from "./config.ts";
import type { Variables } from "./environment.ts";
import { ConfigError } from "./source.ts";

const HOME = "/nonexistent/home";

function load(env: Variables, flags: Variables = {}) {
  return loadConfig({ env, flags, homeDir: HOME });
}

/** The sentence with which a start is refused. */
function refusal(env: Variables, flags: Variables = {}): string {
  try {
    load(env, flags);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

test("nothing set gives the defaults", () => {
  const config = load({});
  expect(config).toMatchObject({
    dir: `${HOME}/.claude-hub`,
    logLevel: "info",
    http: { host: "127.0.0.1", port: 3002, allowedHosts: [], trustProxy: 0 },
    database: { url: null },
    secrets: { webhook: null, githubWebhook: null, githubToken: null, anthropicApiKey: null },
    github: { apiUrl: "https://api.github.com", serverUrl: "https://github.com" },
    agent: {
      path: null,
      spoolBytes: 67_108_864,
    },
    model: {
      access: { form: "anthropic", baseUrl: "https://api.anthropic.com", apiKey: null },
      name: null,
      families: { opus: null, sonnet: null, haiku: null },
      serverTools: [],
    },
    sandbox: { runtime: "auto", lifetimeMs: 7_200_000, memoryBytes: 4_294_967_296 },
    slots: { total: 4, perRepository: 2, coordinating: 4 },
    prepared: { count: 2, maxAgeMs: 600_000 },
    policy: { maxTokens: null, maxCostUsd: null, pushBranches: ["claude/*"], pushWorkflows: false },
  });
});

test("flags win over the environment, that over hub.env, that over defaults", async () => {
  await using temp = await createTempDir("config");
  await writeFile(
    join(temp.path, "hub.env"),
    'PORT=1001\nHOST="::1"\n# a comment\nLOG_LEVEL=debug\nCLAUDE_HUB_GIT_PROCESSES=3\n',
  );
  const env = { CLAUDE_HUB_DIR: temp.path, PORT: "1002", HOST: "0.0.0.0" };
  const config = load(env, { PORT: "1003", HOST: undefined });
  expect(config.http).toMatchObject({ port: 1003, host: "0.0.0.0" });
  expect(config.logLevel).toBe("debug");
  expect(config.git).toMatchObject({ processes: 3, mirrorMaxAgeMs: 3_000 });
  // The directory, too: the flag decides whose hub.env is read.
  expect(load({ CLAUDE_HUB_DIR: "/elsewhere" }, { CLAUDE_HUB_DIR: temp.path }).http.port).toBe(
    1001,
  );
});

test("an empty value counts as not set", async () => {
  await using temp = await createTempDir("config");
  await writeFile(join(temp.path, "hub.env"), "PORT=1001\nGITHUB_TOKEN=from-file\n");
  const env = {
    CLAUDE_HUB_DIR: temp.path,
    PORT: "",
    HOST: "  ",
    GITHUB_TOKEN: "",
    GITHUB_TOKEN_FILE: "",
    CLAUDE_HUB_NONSENSE: "",
  };
  const config = load(env, { PORT: "" });
  expect(config.http).toMatchObject({ port: 1001, host: "127.0.0.1" });
  expect(config.secrets.githubToken?.reveal()).toBe("from-file");
});

test("values are read as they are meant", () => {
  const config = load({
    CLAUDE_HUB_DIR: "~/hub",
    PORT: "0",
    ALLOWED_HOSTS: " hub.example.com, ,hub ",
    TRUST_PROXY: "true",
    BOT_USERNAME: "@ClaudeBot[bot]",
    AUTHORIZED_USERS: "ada,grace",
    CLAUDE_CONTAINER_MEMORY_LIMIT: "512M",
    CLAUDE_HUB_PUSH_BYTES: "1000",
    CONTAINER_LIFETIME_MS: "3_600_000",
    CLAUDE_HUB_SESSION_MAX_COST_USD: "2.50",
    CLAUDE_HUB_PUSH_WORKFLOWS: "true",
    CLAUDE_HUB_RETENTION_DAYS: "0",
  });
  expect(config).toMatchObject({
    dir: `${HOME}/hub`,
    http: { port: 0, allowedHosts: ["hub.example.com", "hub"], trustProxy: 1 },
    github: { botUsername: "ClaudeBot[bot]", authorizedUsers: ["ada", "grace"] },
    sandbox: { memoryBytes: 536_870_912, lifetimeMs: 3_600_000 },
    git: { pushBytes: 1_000 },
    policy: { maxCostUsd: 2.5, pushWorkflows: true },
    database: { retentionDays: 0 },
  });
  expect(load({ TRUST_PROXY: "false" }).http.trustProxy).toBe(0);
  expect(load({ TRUST_PROXY: "2" }).http.trustProxy).toBe(2);
  expect(load({ CLAUDE_HUB_DIR: "~" }).dir).toBe(HOME);
  // A user's home is not ours to guess.
  expect(load({ CLAUDE_HUB_DIR: "/x/~ada" }).dir).toBe("/x/~ada");
});

test("`~` is HOME, and without it the home of the user", () => {
  expect(loadConfig({ env: { HOME: "/home/ada" } }).dir).toBe("/home/ada/.claude-hub");
  expect(loadConfig({ env: {} }).dir).toBe(join(homedir(), ".claude-hub"));
  // `$&` would mean something to a replacement that is text.
  expect(loadConfig({ env: {}, homeDir: "/a$&b" }).dir).toBe("/a$&b/.claude-hub");
});

test.each([
  [{ PORT: "70000" }, 'PORT is "70000" but must be a whole number from 0 to 65535.'],
  [{ PORT: "-1" }, "PORT"],
  [{ PORT: "1e3" }, "PORT"],
  [{ PORT: "80.5" }, "PORT"],
  [{ TRUST_PROXY: "10.0.0.0/8" }, "TRUST_PROXY"],
  [{ LOG_LEVEL: "loud" }, 'LOG_LEVEL is "loud" but must be one of trace, debug'],
  [{ CLAUDE_HUB_RUNTIME: "vm" }, 'CLAUDE_HUB_RUNTIME is "vm"'],
  [{ GITHUB_API_URL: "api.github.com" }, "GITHUB_API_URL"],
  [{ GITHUB_SERVER_URL: "ssh://github.com" }, "GITHUB_SERVER_URL"],
  [{ ANTHROPIC_BASE_URL: "file:///etc/passwd" }, "ANTHROPIC_BASE_URL"],
  [{ ANTHROPIC_MODEL: "a model" }, "ANTHROPIC_MODEL"],
  [{ BOT_USERNAME: "-bot" }, "BOT_USERNAME"],
  [{ BOT_USERNAME: "@" }, "BOT_USERNAME"],
  [{ CLAUDE_CONTAINER_MEMORY_LIMIT: "4 GB" }, 'CLAUDE_CONTAINER_MEMORY_LIMIT is "4 GB"'],
  [{ CLAUDE_CONTAINER_MEMORY_LIMIT: "0" }, "CLAUDE_CONTAINER_MEMORY_LIMIT"],
  [{ CLAUDE_CONTAINER_MEMORY_LIMIT: "99999999999g" }, "CLAUDE_CONTAINER_MEMORY_LIMIT"],
  [{ CLAUDE_CONTAINER_PIDS_LIMIT: "many" }, "CLAUDE_CONTAINER_PIDS_LIMIT"],
  [{ CLAUDE_HUB_MAX_SESSIONS: "0" }, "CLAUDE_HUB_MAX_SESSIONS"],
  [{ CLAUDE_HUB_SESSION_MAX_COST_USD: "$5" }, "CLAUDE_HUB_SESSION_MAX_COST_USD"],
  [{ CLAUDE_HUB_PUSH_WORKFLOWS: "yes" }, "CLAUDE_HUB_PUSH_WORKFLOWS"],
])("%j is refused in one sentence", (env, expected) => {
  const message = refusal(env);
  expect(message).toContain(expected);
  expect(message).toMatch(/^[^\n]* but must be [^\n]*\.$/);
  expect(message.length).toBeLessThan(400);
});

test("a long wrong value is cut, the password of an address is not shown", () => {
  expect(refusal({ PORT: "9".repeat(100_000) }).length).toBeLessThan(400);
  const message = refusal({ ANTHROPIC_BASE_URL: "htps://ada:hunter22@model.example.com" });
  expect(message).not.toContain("hunter22");
  expect(message).toContain("//***@model.example.com");
});

test("a wrong flag and a wrong line of hub.env are refused as well", async () => {
  await using temp = await createTempDir("config");
  expect(refusal({ PORT: "1" }, { PORT: "x" })).toContain('PORT is "x"');
  await writeFile(join(temp.path, "hub.env"), "PORT=y\n");
  expect(refusal({ CLAUDE_HUB_DIR: temp.path })).toContain('PORT is "y"');
});

test("hub.env may be absent but not unreadable, and does not say where it is", async () => {
  await using temp = await createTempDir("config");
  expect(load({ CLAUDE_HUB_DIR: temp.path }).http.port).toBe(3002);
  const path = join(temp.path, "hub.env");
  await mkdir(path);
  expect(refusal({ CLAUDE_HUB_DIR: temp.path })).toBe(
    `${path} must be a file that the hub can read (EISDIR).`,
  );
  await using other = await createTempDir("config");
  await writeFile(join(other.path, "hub.env"), "CLAUDE_HUB_DIR=/elsewhere\n");
  expect(refusal({ CLAUDE_HUB_DIR: other.path })).toMatch(/^CLAUDE_HUB_DIR is set in .*hub\.env/);
});

test("a misspelt name is refused, with the one that was meant", async () => {
  expect(refusal({ CLAUDE_HUB_MAX_SESSION: "3" })).toBe(
    "CLAUDE_HUB_MAX_SESSION is not a setting of the hub; CLAUDE_HUB_MAX_SESSIONS is.",
  );
  expect(refusal({ CLAUDE_HUB_RUNTMIE: "auto" })).toContain("CLAUDE_HUB_RUNTIME is.");
  expect(refusal({ CLAUDE_HUB_QQQQQQQQQQQQQQQQQQQQQQ: "1" })).toContain("docs/configuration.md");
  // Only secrets have a file.
  expect(refusal({ CLAUDE_HUB_RUNTIME_FILE: "/x" })).toContain("CLAUDE_HUB_RUNTIME is.");
  await using temp = await createTempDir("config");
  await writeFile(join(temp.path, "hub.env"), "CLAUDE_HUB_STALL=1\n");
  expect(refusal({ CLAUDE_HUB_DIR: temp.path })).toContain("CLAUDE_HUB_STALL_MS is.");
  // Other programs' variables are theirs, and a hub may run in a sandbox of another.
  expect(load({ PROT: "1", CLAUDE_HUB_SANDBOX: "x", CLAUDE_HUB_SANDBOXES: "y" }).dir).toBeTruthy();
});

test("a configuration cannot be changed", () => {
  const config = load({ CLAUDE_WEBHOOK_SECRET: "proper-secret" });
  expect(() => Object.assign(config, { dir: "/x" })).toThrow(TypeError);
  expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  expect(() => config.policy.pushBranches.push("main")).toThrow(TypeError);
  expect(config.secrets.webhook?.reveal()).toBe("proper-secret");
});

test("the search path is the environment's", () => {
  expect(searchPath({ PATH: "/a:/b" })).toBe("/a:/b");
  expect(searchPath({})).toBe("/usr/bin:/bin");
});

test("lists of hosts and addresses are read as what they mean, and a wrong entry stops the start", () => {
  const { egress } = load({
    CLAUDE_HUB_EGRESS_HOSTS: "Example.com, *.b\u00fccher.example:8443,192.0.2.1",
    CLAUDE_HUB_EGRESS_PRESETS: "npm, forge",
    CLAUDE_HUB_EGRESS_ADDRESSES: "10.1.0.0/16,fd00::1",
    CLAUDE_HUB_EGRESS_DNS: "192.0.2.53,[2001:db8::53]:5353,192.0.2.53:53",
  });
  expect(egress.hosts.map(ruleText)).toEqual([
    "example.com",
    "*.xn--bcher-kva.example:8443",
    "192.0.2.1",
  ]);
  expect(egress).toMatchObject({
    presets: ["npm", "forge"],
    addresses: ["10.1.0.0/16", "fd00::1"],
    dnsServers: ["192.0.2.53", "[2001:db8::53]:5353", "192.0.2.53:53"],
  });
  expect(load({}).egress).toMatchObject({
    hosts: [],
    presets: [],
    addresses: [],
    repositories: [],
  });
  for (const [name, value] of [
    ["CLAUDE_HUB_EGRESS_HOSTS", "example.com, *"],
    ["CLAUDE_HUB_EGRESS_HOSTS", "https://example.com/"],
    ["CLAUDE_HUB_EGRESS_PRESETS", "everything"],
    ["CLAUDE_HUB_EGRESS_ADDRESSES", "10.1.0.0/33"],
    ["CLAUDE_HUB_EGRESS_ADDRESSES", "10.1"],
    ["CLAUDE_HUB_EGRESS_DNS", "dns.example"],
  ])
    expect(refusal({ [name ?? ""]: value })).toMatch(
      new RegExp(`^${name} is ".*" but must be a list with commas of`),
    );
});
