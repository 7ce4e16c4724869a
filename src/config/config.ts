import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { Secret } from "../core/secret.ts";
import { CLIENT_VARIABLES } from "./client-environment.ts";
import { environment } from "./environment.ts";
import { readGitHub } from "./github.ts";
import type { Variables } from "./environment.ts";
import { nearestName } from "./misspelling.ts";
import { keptSettings } from "./kept-app.ts";
import { readModelAccess, readModelSecrets } from "./model-access.ts";
import { readNotify } from "./notify-settings.ts";
import { SETTINGS } from "./settings.ts";
import { ConfigError, createSource } from "./source.ts";
import type { Source } from "./source.ts";

export type Config = ReturnType<typeof read>;

interface Origins {
  /** By the variables that they stand for. */
  flags?: Variables;
  env?: Variables;
  /** What `~` stands for. */
  homeDir?: string;
}

/** Where the hub keeps things, `hub.env` among them. */
export function dataDirectory({
  flags = {},
  env = environment,
  homeDir = env["HOME"] ?? homedir(),
}: Origins = {}): string {
  return expandHome(createSource([flags, env]).required(SETTINGS.dir), homeDir);
}

/**
 * Reads the configuration: flags, then the environment, then `hub.env` in the data directory, then the App that was
 * made by `claude-hub github setup`, then defaults.
 *
 * @returns Frozen all through.
 * @throws ConfigError with one sentence that names the variable and what is expected.
 */
export function loadConfig(from: Origins = {}): Config {
  const { flags = {}, env = environment } = from;
  const dir = dataDirectory(from);
  const path = join(dir, "hub.env");
  const file = readHubEnv(path);
  if (file[SETTINGS.dir.variable])
    throw new ConfigError(
      `${SETTINGS.dir.variable} is set in ${path} but must be set in the environment, since it says where that file is.`,
    );
  const layers = [flags, env, file];
  for (const variables of layers) refuseUnknown(variables);
  return freeze(read(createSource([...layers, keptSettings(createSource(layers), dir)]), dir));
}

function read(from: Source, dir: string) {
  const modelSecrets = readModelSecrets(from);
  return {
    dir,
    logLevel: from.required(SETTINGS.logLevel),
    http: {
      host: from.required(SETTINGS.host),
      port: from.required(SETTINGS.port),
      allowedHosts: from.required(SETTINGS.allowedHosts),
      trustProxy: from.required(SETTINGS.trustProxy),
      webhookBodyBytes: from.required(SETTINGS.webhookBodyBytes),
      apiBodyBytes: from.required(SETTINGS.apiBodyBytes),
      ratePerAddress: from.required(SETTINGS.ratePerAddress),
      ratePerToken: from.required(SETTINGS.ratePerToken),
      authFailures: from.required(SETTINGS.authFailures),
      sseConnections: from.required(SETTINGS.sseConnections),
      sseHeartbeatMs: from.required(SETTINGS.sseHeartbeatMs),
      mcpCalls: from.required(SETTINGS.mcpCalls),
      mcpCallsPerToken: from.required(SETTINGS.mcpCallsPerToken),
    },
    mcp: { waitMs: from.required(SETTINGS.mcpWaitMs) },
    database: {
      url: from.secret(SETTINGS.databaseUrl),
      connections: from.required(SETTINGS.databaseConnections),
      retentionDays: from.required(SETTINGS.retentionDays),
      deliveryRetentionDays: from.required(SETTINGS.deliveryRetentionDays),
    },
    secrets: {
      webhook: from.secret(SETTINGS.webhookSecret),
      githubWebhook: from.secret(SETTINGS.githubWebhookSecret),
      githubPreviousWebhook: from.secret(SETTINGS.githubPreviousWebhookSecret),
      githubAppKey: from.secret(SETTINGS.githubAppKey),
      githubToken: from.secret(SETTINGS.githubToken),
      key: from.secret(SETTINGS.key),
      notify: from.secret(SETTINGS.notifySecret),
      notifyPrevious: from.secret(SETTINGS.notifyPreviousSecret),
      ...modelSecrets,
    },
    github: readGitHub(from),
    bot: {
      allowedModels: from.required(SETTINGS.allowedModels),
      day: {
        costUsd: from.optional(SETTINGS.dayMaxCostUsd),
        tokens: from.optional(SETTINGS.dayMaxTokens),
      },
      repairAttempts: from.required(SETTINGS.repairAttempts),
      repairLabel: from.optional(SETTINGS.repairLabel),
      repairQuietMs: from.required(SETTINGS.repairQuietMs),
    },
    labels: {
      mode: from.required(SETTINGS.autoLabel),
      model: from.required(SETTINGS.autoLabelModel),
      confidence: from.required(SETTINGS.autoLabelConfidence),
      exclude: from.required(SETTINGS.autoLabelExclude),
      perHour: from.required(SETTINGS.autoLabelPerHour),
      maxCostUsd: from.required(SETTINGS.autoLabelMaxCostUsd),
    },
    review: readReview(from),
    notify: readNotify(from),
    model: {
      access: readModelAccess(from, modelSecrets),
      name: from.optional(SETTINGS.anthropicModel),
      families: {
        opus: from.optional(SETTINGS.opusModel),
        sonnet: from.optional(SETTINGS.sonnetModel),
        haiku: from.optional(SETTINGS.haikuModel),
      },
      serverTools: from.required(SETTINGS.serverTools),
      waitMs: from.required(SETTINGS.modelWaitMs),
    },
    agent: readAgent(from),
    approvals: {
      askTools: from.required(SETTINGS.askTools),
      approvalMs: from.required(SETTINGS.approvalMs),
    },
    runnerPath: from.optional(SETTINGS.runnerPath),
    sandbox: {
      runtime: from.required(SETTINGS.runtime),
      lifetimeMs: from.required(SETTINGS.lifetimeMs),
      coordinationMs: from.required(SETTINGS.coordinationMs),
      graceMs: from.required(SETTINGS.graceMs),
      memoryBytes: from.required(SETTINGS.memoryLimit),
      processes: from.required(SETTINGS.processLimit),
      maxima: readMaxima(from),
    },
    containers: {
      engine: from.required(SETTINGS.containerEngine),
      image: from.required(SETTINGS.containerImage),
      allowedImages: from.optional(SETTINGS.allowedImages) ?? [],
      ociRuntime: from.optional(SETTINGS.containerRuntime),
      cpuShares: from.required(SETTINGS.cpuShares),
      diskBytes: from.required(SETTINGS.diskLimit),
    },
    slots: {
      total: from.required(SETTINGS.maxSessions),
      perRepository: from.required(SETTINGS.maxSessionsPerRepository),
      coordinating: from.required(SETTINGS.coordinationSlots),
    },
    plans: {
      maxTasks: from.required(SETTINGS.planTasks),
      maxChildren: from.required(SETTINGS.coordinationChildren),
    },
    prepared: {
      count: from.required(SETTINGS.preparedSandboxes),
      maxAgeMs: from.required(SETTINGS.preparedMaxAgeMs),
    },
    policy: {
      maxTokens: from.optional(SETTINGS.maxTokens),
      maxCostUsd: from.optional(SETTINGS.maxCostUsd),
      pushBranches: from.required(SETTINGS.pushBranches),
      pushWorkflows: from.required(SETTINGS.pushWorkflows),
    },
    git: {
      mirrorMaxAgeMs: from.required(SETTINGS.mirrorMaxAgeMs),
      processes: from.required(SETTINGS.gitProcesses),
      pushBytes: from.required(SETTINGS.pushBytes),
    },
    gateway: { sessionConnections: from.required(SETTINGS.sessionConnections) },
    egress: {
      asks: from.required(SETTINGS.askHosts),
      hosts: from.required(SETTINGS.egressHosts),
      presets: from.required(SETTINGS.egressPresets),
      repositoryPresets: from.required(SETTINGS.egressRepositoryPresets),
      addresses: from.required(SETTINGS.egressAddresses),
      repositories: from.required(SETTINGS.egressRepositories),
      dnsServers: from.required(SETTINGS.egressDns),
      limits: {
        connections: from.required(SETTINGS.egressConnections),
        sessionConnections: from.required(SETTINGS.egressSessionConnections),
        receiveBytes: from.required(SETTINGS.egressReceiveBytes),
        sendBytes: from.required(SETTINGS.egressSendBytes),
        connectMs: from.required(SETTINGS.egressConnectMs),
        idleMs: from.required(SETTINGS.egressIdleMs),
        headerBytes: from.required(SETTINGS.egressHeaderBytes),
      },
    },
  } as const;
}

function readAgent(from: Source) {
  return {
    path: from.optional(SETTINGS.agentPath),
    stallMs: from.required(SETTINGS.stallMs),
    setupMs: from.required(SETTINGS.setupMs),
    idleMs: from.required(SETTINGS.idleMs),
    forgeWaitMs: from.required(SETTINGS.forgeWaitMs),
    pauseMs: from.required(SETTINGS.pauseMs),
    spoolBytes: from.required(SETTINGS.spoolBytes),
    logBytes: from.required(SETTINGS.logBytes),
  };
}

function readReview(from: Source) {
  const workflow = from.optional(SETTINGS.reviewWorkflow);
  return {
    whose: from.required(SETTINGS.reviewWhose),
    // Who names a workflow means that one, unless they say otherwise.
    waitForAllChecks: from.optional(SETTINGS.reviewWaitForAll) ?? workflow === null,
    workflow,
    debounceMs: from.required(SETTINGS.reviewDebounceMs),
    maxWaitMs: from.required(SETTINGS.reviewMaxWaitMs),
    noChecksMs: from.required(SETTINGS.reviewNoChecksMs),
    whenLate: from.required(SETTINGS.reviewWhenLate),
    ownPullRequests: from.required(SETTINGS.reviewOwn),
    mayApprove: from.required(SETTINGS.reviewApprove),
  };
}

/** What one session may ask for at the most: never less than what each gets. */
export function readMaxima(from: Source) {
  return {
    memoryBytes: most(from.required(SETTINGS.memoryLimit), from.optional(SETTINGS.memoryMax)),
    processes: most(from.required(SETTINGS.processLimit), from.optional(SETTINGS.processMax)),
    cpuShares: most(from.required(SETTINGS.cpuShares), from.optional(SETTINGS.cpuSharesMax)),
  };
}

function most(limit: number, max: number | null): number {
  return Math.max(limit, max ?? limit);
}

/** Where programs are looked for. */
export function searchPath(env: Variables = environment): string {
  return env["PATH"] ?? "/usr/bin:/bin";
}

const TOOL_VARIABLES =
  /^(PATH|HOME|XDG_CONFIG_(HOME|DIRS)|CARGO_HOME|GO(PROXY|SUMDB|ENV|FLAGS)|(npm|NPM)_(config|CONFIG)_(registry|REGISTRY|userconfig|USERCONFIG|globalconfig|GLOBALCONFIG)|PIP_(INDEX_URL|EXTRA_INDEX_URL|CONFIG_FILE))$/;

/** What tells package tools where their configuration is; nothing else of the hub's environment. */
export function toolEnvironment(env: Variables = environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && TOOL_VARIABLES.test(name) ? [[name, value] as const] : [],
    ),
  );
}

/** `~` is a shell's business, but not everybody's environment went through a shell. */
function expandHome(path: string, homeDir: string): string {
  return resolve(path.replace(/^~(?=\/|$)/, () => homeDir));
}

function readHubEnv(path: string): Variables {
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new ConfigError(`${path} must be a file that the hub can read (${code}).`);
  }
}

/** How the hub marks what runs in a sandbox; a hub that an agent works on may run in one. */
const MARKERS = ["CLAUDE_HUB_SANDBOX", "CLAUDE_HUB_SANDBOXES"];

/** A misspelt name would silently leave its default in force. */
function refuseUnknown(variables: Variables): void {
  const settings = Object.values(SETTINGS);
  const known = settings.flatMap(({ variable, secret }) =>
    secret ? [variable, `${variable}_FILE`] : [variable],
  );
  const strange = Object.keys(variables).find(
    (name) =>
      name.startsWith("CLAUDE_HUB_") &&
      Boolean(variables[name]) &&
      !known.includes(name) &&
      !MARKERS.includes(name) &&
      !CLIENT_VARIABLES.includes(name),
  );
  if (strange === undefined) return;
  const nearest = nearestName(strange, known);
  const more = nearest === undefined ? "see docs/configuration.md" : `${nearest} is`;
  throw new ConfigError(`${strange} is not a setting of the hub; ${more}.`);
}

/** Secrets are classes that keep their value to themselves: nothing to freeze. */
function freeze<T extends object>(value: T): T {
  const parts: unknown[] = Object.values(value);
  for (const part of parts)
    if (typeof part === "object" && part !== null && !(part instanceof Secret)) freeze(part);
  return Object.freeze(value);
}
