import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { SETTINGS } from "./settings.ts";
import { ConfigError, createSource } from "./source.ts";
import type { Source } from "./source.ts";

export type Config = ReturnType<typeof read>;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration: flags, then the environment, then `hub.env` in the data directory, then defaults.
 *
 * @param flags By the variables that they stand for.
 * @throws ConfigError with one sentence that names the variable and what is expected.
 */
export function loadConfig({
  flags = {},
  env = process.env,
}: { flags?: Variables; env?: Variables } = {}): Config {
  const dir = homeless(createSource([flags, env]).required(SETTINGS.dir), env);
  const file = readHubEnv(join(dir, "hub.env"));
  for (const variables of [env, file]) refuseUnknown(variables);
  const config = read(createSource([flags, env, file]), dir);
  checkTogether(config);
  return config;
}

function read(from: Source, dir: string) {
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
    },
    database: {
      url: from.secret(SETTINGS.databaseUrl),
      connections: from.required(SETTINGS.databaseConnections),
      retentionDays: from.required(SETTINGS.retentionDays),
    },
    secrets: {
      webhook: from.secret(SETTINGS.webhookSecret),
      githubWebhook: from.secret(SETTINGS.githubWebhookSecret),
      githubToken: from.secret(SETTINGS.githubToken),
      anthropicApiKey: from.secret(SETTINGS.anthropicApiKey),
    },
    github: {
      apiUrl: from.required(SETTINGS.githubApiUrl),
      serverUrl: from.required(SETTINGS.githubServerUrl),
      botUsername: from.required(SETTINGS.botUsername),
      botEmail: from.required(SETTINGS.botEmail),
      authorizedUsers: from.required(SETTINGS.authorizedUsers),
    },
    agent: {
      path: from.optional(SETTINGS.agentPath),
      model: from.optional(SETTINGS.anthropicModel),
      baseUrl: from.required(SETTINGS.anthropicBaseUrl),
      stallMs: from.required(SETTINGS.stallMs),
      setupMs: from.required(SETTINGS.setupMs),
      spoolBytes: from.required(SETTINGS.spoolBytes),
    },
    sandbox: {
      runtime: from.required(SETTINGS.runtime),
      image: from.required(SETTINGS.containerImage),
      lifetimeMs: from.required(SETTINGS.lifetimeMs),
      graceMs: from.required(SETTINGS.graceMs),
      memoryBytes: from.required(SETTINGS.memoryLimit),
      processes: from.required(SETTINGS.processLimit),
    },
    slots: {
      total: from.required(SETTINGS.maxSessions),
      perRepository: from.required(SETTINGS.maxSessionsPerRepository),
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
  } as const;
}

/** Where programs are looked for. */
export function searchPath(env: Variables = process.env): string {
  return env["PATH"] ?? "/usr/bin:/bin";
}

/** `~` is a shell's business, but not everybody's environment went through a shell. */
function homeless(path: string, env: Variables): string {
  const home = env["HOME"] ?? homedir();
  return resolve(path.replace(/^~(?=\/|$)/, home));
}

function readHubEnv(path: string): Variables {
  try {
    return parseEnv(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw new ConfigError(`${path} cannot be read.`);
  }
}

/** A misspelt name would silently leave its default in force. */
function refuseUnknown(variables: Variables): void {
  const known = new Set<string>(Object.values(SETTINGS).map(({ variable }) => variable));
  const strange = Object.keys(variables).find(
    (name) =>
      name.startsWith("CLAUDE_HUB_") && !known.has(name) && !known.has(name.replace(/_FILE$/, "")),
  );
  if (strange !== undefined)
    throw new ConfigError(
      `${strange} is not a setting of the hub; see docs/configuration.md for those there are.`,
    );
}

function checkTogether({ database, secrets }: Config): void {
  const address = database.url?.reveal();
  if (address !== undefined && !/^postgres(ql)?:\/\/./.test(address))
    throw new ConfigError(
      `DATABASE_URL holds something else but must be ${SETTINGS.databaseUrl.expected}.`,
    );
  const token = secrets.webhook?.reveal();
  if (token !== undefined && !/^[\x21-\x7e]{8,}$/.test(token))
    throw new ConfigError(
      "CLAUDE_WEBHOOK_SECRET is shorter than 8 characters or holds blanks, but must be a token of visible ASCII characters.",
    );
}
