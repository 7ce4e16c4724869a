import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { gitCredentials, openForge, startBot } from "./bot.ts";
import { toolEnvironment } from "./config/config.ts";
import type { Config } from "./config/config.ts";
import { forgetAddress, publishAddress } from "./config/hub-address.ts";
import { USUAL_BOT_NAME } from "./config/forge-settings.ts";
import { readOrMakeWebhookSecret } from "./config/webhook-secret.ts";
import { asBounds } from "./core/budget.ts";
import { systemClock } from "./core/clock.ts";
import { ruleText } from "./core/egress.ts";
import { newId } from "./core/id.ts";
import type { ModelForm } from "./core/job.ts";
import { createRedaction } from "./core/redaction.ts";
import { branchUrl } from "./core/repository.ts";
import { createEngine } from "./engine/engine.ts";
import { createEventFeed } from "./events/feed.ts";
import { openFront } from "./front.ts";
import { choosablePresets, resolvePresets } from "./gateway/egress/presets.ts";
import { startGateway } from "./gateway/gateway.ts";
import { createMirror } from "./gateway/git/mirror.ts";
import { createRepositorySettings, unlessAway } from "./gateway/git/repository-settings.ts";
import { GIT_LIMITS } from "./gateway/git/limits.ts";
import { createSessionTokens } from "./gateway/git/session-tokens.ts";
import { openModel } from "./gateway/model/access.ts";
import { createHealth } from "./http/health.ts";
import { notifyKeysOf } from "./notify/keys.ts";
import { namesOf, openOrchestrations } from "./orchestrating.ts";
import { agentInside, runtimeHost } from "./runtimes/host.ts";
import { createRuntime } from "./runtimes/registry.ts";
import type { Runtime, RuntimeHost } from "./runtimes/runtime.ts";
import { createSessionLife } from "./sessions/life.ts";
import { openDataDir } from "./store/data-dir/data-dir.ts";
import { openDatabase } from "./store/database.ts";
import { startEmbeddedDatabase } from "./store/embedded/embedded.ts";
import { readOrMake } from "./store/data-dir/kept-file.ts";
import { migrateDatabase } from "./store/migrator.ts";
import { listenToDatabase } from "./store/notifications.ts";
import { createStores } from "./store/stores.ts";
import { openTools } from "./triggers/agent-tools.ts";

export interface Hub extends AsyncDisposable {
  url: string;
}

/** Builds the whole hub from its configuration and starts it. The only place that knows all of its parts. */
export async function startHub(options: {
  config: Config;
  /** Executable of the agent on this machine; null: there is none. */
  agentPath: string | null;
  /** The bundled runner. */
  runnerPath: string;
  log: Logger;
}): Promise<Hub> {
  const { config, log } = options;
  await using parts = new AsyncDisposableStack();
  const startup = createStartup();
  const dataDir = parts.use(await openDataDir(config.dir));
  await forgetAddress(dataDir.path);
  const webhook = await webhookSecret(config, log);
  const databaseAddress = await databaseUrl(config, dataDir.path, log, parts);
  startup.reached("database ready");
  const database = parts.use(
    openDatabase({
      url: databaseAddress,
      maxConnections: config.database.connections,
      onIdleError: (error) => log.warn({ err: error }, "database connection was lost"),
    }),
  );
  await migrateDatabase(database.db);
  startup.reached("schema up to date");
  const notifications = parts.use(await listenToDatabase({ url: databaseAddress, log }));
  const notifyKeys = await notifyKeysOf(config.secrets, dataDir.path);
  const redaction = createRedaction(
    [webhook, ...notifyKeys, ...Object.values(config.secrets), config.database.url].filter(
      (secret) => secret !== null,
    ),
  );
  const executorId = await executorIdOf(dataDir.path);
  const { agentPath, runnerPath } = options;
  const host = runtimeHost(config, { dir: dataDir.path, agentPath, runnerPath, hubId: executorId });
  const runtime = await chooseRuntime(config, host, log);
  const agent = agentFor(runtime, config, options.agentPath);
  startup.reached("runtime chosen");
  const { rules, repositoryPresets } = await egressRules(config);
  const forge = openForge(config, database, log);
  const credentials = gitCredentials(forge, log);
  const git = gitSettings(config, dataDir.path, log);
  const mirror = createMirror({ ...git, credential: credentials.read });
  await mirror.sweep();
  const settingsOf = createRepositorySettings({ mirror, environment: git.environment, log });
  const model = await openModel(config.model, log);
  const stores = createStores(database);
  const { events, branches } = stores;
  const engine = createEngine({ url: databaseAddress, executorId, log });
  const forgeTools = openTools({ ...stores, config, database, forge, redaction });
  const life = createSessionLife({
    database,
    notifications,
    ...stores,
    engine,
    runtime,
    repositories: {
      branches: (name, maxAgeMs) => mirror.branches(name, maxAgeMs),
      bring: (name, commit) => mirror.bring(name, commit),
      urlOf: (name, branch) => branchUrl(config.github.serverUrl, name, branch),
      // As new as what is cloned.
      settings: async (name) => unlessAway(await settingsOf(name, config.git.mirrorMaxAgeMs)),
    },
    redaction,
    tools: { namesFor: namesOf(forgeTools, stores.sessions) },
    settings: { ...sessionSettings(config, agent, model.form), hosts: rules.map(ruleText) },
    executorId,
    clock: systemClock,
    log,
  });
  const feed = createEventFeed({ store: events, notifications });
  const common = { config, database, stores, life, feed, forge, executorId, log };
  const orchestrating = openOrchestrations({ ...common, forgeTools });
  const hubPorts = portsOf(config, databaseAddress);
  const tokens = parts.use(
    createSessionTokens({ ...credentials, ...life.intake, clock: systemClock, log }),
  );
  parts.use(
    await startGateway({
      socketPath: join(host.gatewayDir, host.gatewaySocketName),
      intake: life.intake,
      mirror,
      ownership: branches,
      settingsOf,
      git: { ...git, lease: tokens.lease },
      model,
      modelWaitMs: config.model.waitMs,
      egress: { ...config.egress, rules, repositoryPresets, hubPorts },
      tools: { toolsFor: orchestrating.toolsFor, calls: stores.toolCalls },
      sessionConnections: config.gateway.sessionConnections,
      log,
    }),
  );
  startup.reached("gateway open");
  parts.use(engine);
  await engine.launch(life.steps, life.upkeep);
  startup.reached("engine running");
  const forBot = { ...common, ...life, ...orchestrating, mirror, events, redaction };
  const bot = await startBot(forBot, parts);
  parts.use(orchestrating.conduct());
  const server = parts.use(
    await openFront({
      config,
      database,
      stores,
      feed,
      ...life,
      orchestrations: orchestrating.orchestrations,
      ...bot,
      redaction,
      health: createHealth({ startup, runtime }),
      keys: { bearer: webhook, notify: notifyKeys },
      hubPorts,
      log,
    }),
  );
  parts.use(await publishAddress(dataDir.path, server.url));
  startup.reached("listening");
  const all = parts.move();
  return { url: server.url, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Moments of the start, for the health check. */
function createStartup() {
  const startedAt = performance.now();
  const milestones: { name: string; timestamp: string; elapsedMs: number }[] = [];
  return {
    milestones,
    reached(name: string): void {
      const elapsedMs = Math.round(performance.now() - startedAt);
      milestones.push({ name, timestamp: new Date().toISOString(), elapsedMs });
    },
  };
}

async function webhookSecret(config: Config, log: Logger) {
  if (config.secrets.webhook !== null) return config.secrets.webhook;
  const { secret, path, made } = await readOrMakeWebhookSecret(config.dir);
  if (made) log.warn({ path }, "a bearer token for API clients was made");
  return secret;
}

async function databaseUrl(
  config: Config,
  dir: string,
  log: Logger,
  parts: AsyncDisposableStack,
): Promise<string> {
  if (config.database.url !== null) return config.database.url.reveal();
  return parts.use(await startEmbeddedDatabase({ dir: join(dir, "postgres"), log })).url;
}

async function chooseRuntime(config: Config, host: RuntimeHost, log: Logger): Promise<Runtime> {
  if (!existsSync(host.runnerPath))
    throw new Error(`the runner is not built (${host.runnerPath}); run: npm run build:bundles`);
  const runtime = await createRuntime(config.sandbox.runtime, host);
  const check = await runtime.check();
  if (!check.available)
    throw new Error(`the runtime ${runtime.name} cannot be used: ${check.reason}`);
  if (check.abilities.isolation === "none")
    log.warn(
      "THE RUNTIME process ISOLATES NOTHING: agents may do on this machine whatever the hub may",
    );
  log.info({ runtime: runtime.name, abilities: check.abilities }, "runtime chosen");
  return runtime;
}

/** As it is called inside of sandboxes. */
function agentFor(runtime: Runtime, config: Config, agentPath: string | null): string {
  const inside = agentInside(runtime.name, config, agentPath);
  if (inside !== null) return inside;
  throw new Error(
    "Claude Code was not found: install it (npm install -g @anthropic-ai/claude-code) or set CLAUDE_CODE_PATH.",
  );
}

function gitSettings(config: Config, dir: string, log: Logger) {
  return {
    dir: join(dir, "mirrors"),
    serverUrl: config.github.serverUrl,
    environment: { PATH: SEARCH_PATH, HOME: "/nonexistent", LANG: "C.UTF-8" },
    limits: {
      ...GIT_LIMITS,
      mirrorMaxAgeMs: config.git.mirrorMaxAgeMs,
      maxChildren: config.git.processes,
      maxPushBytes: config.git.pushBytes,
    },
    clock: systemClock,
    log,
  };
}

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function egressRules({ egress, github }: Config) {
  const { serverUrl, apiUrl } = github;
  const parts = { environment: toolEnvironment(), serverUrl, apiUrl };
  const rules = [...egress.hosts, ...(await resolvePresets(egress.presets, parts))];
  return { rules, repositoryPresets: await choosablePresets(egress.repositoryPresets, parts) };
}

/** Where the hub and its database listen; a port that is chosen later is added then. */
function portsOf(config: Config, databaseAddress: string): Set<number> {
  const port = URL.canParse(databaseAddress) ? new URL(databaseAddress).port : "";
  return new Set([config.http.port, Number(port || POSTGRES_PORT)]);
}
const POSTGRES_PORT = 5_432;

function sessionSettings(config: Config, agentPath: string, modelForm: ModelForm) {
  return {
    slots: config.slots,
    prepared: config.prepared,
    lifetimeMs: config.sandbox.lifetimeMs,
    coordinationMs: config.sandbox.coordinationMs,
    graceMs: config.sandbox.graceMs,
    policy: config.policy,
    day: asBounds(config.bot.day),
    agent: {
      name: "claude-code",
      executable: agentPath,
      model: config.model.name,
      modelForm,
    },
    author: { name: config.github.botUsername ?? USUAL_BOT_NAME, email: config.github.botEmail },
    stallMs: config.agent.stallMs,
    setupMs: config.agent.setupMs,
    idleMs: config.agent.idleMs,
    forgeWaitMs: config.agent.forgeWaitMs,
    pauseMs: config.agent.pauseMs,
    spoolBytes: config.agent.spoolBytes,
    logBytes: config.agent.logBytes,
    retentionDays: config.database.retentionDays,
    deliveryRetentionDays: config.database.deliveryRetentionDays,
    sandbox: {
      memoryBytes: config.sandbox.memoryBytes,
      processes: config.sandbox.processes,
      cpuShares: config.containers.cpuShares,
    },
    maxima: config.sandbox.maxima,
    allowedImages: config.containers.allowedImages,
    allowedModels: config.bot.allowedModels,
    ...config.approvals,
  };
}

/** This hub's name among those that share a database; it belongs to the data directory. */
async function executorIdOf(dir: string): Promise<string> {
  return await readOrMake(join(dir, "executor-id"), () => `${hostname()}-${newId()}`);
}
