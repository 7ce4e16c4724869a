import pino from "pino";
import { NO_BOUNDS } from "../../../src/core/budget.ts";
import { createRedaction } from "../../../src/core/redaction.ts";
import type { Id } from "../../../src/core/id.ts";
import { RepositorySettings } from "../../../src/core/repository-settings.ts";
import { RunnerResult } from "../../../src/core/job.ts";
import type { Job } from "../../../src/core/job.ts";
import type { OrchestrationDeps } from "../../../src/orchestration/deps.ts";
import type { Orchestrations } from "../../../src/orchestration/orchestrations.ts";
import { createOrchestrations } from "../../../src/orchestration/service.ts";
import type { Runtime } from "../../../src/runtimes/runtime.ts";
import type { SessionDeps } from "../../../src/sessions/deps.ts";
import { createSessionLife } from "../../../src/sessions/life.ts";
import type { SessionLife } from "../../../src/sessions/life.ts";
import { openDatabase } from "../../../src/store/database.ts";
import type { Database } from "../../../src/store/database.ts";
import { createOrchestrationStore } from "../../../src/store/orchestrations/orchestrations.ts";
import { insertResultWithin } from "../../../src/store/sessions/results.ts";
import { createStores } from "../../../src/store/stores.ts";
import { createTestDatabase } from "./database.ts";

export interface Finish {
  outcome?: RunnerResult["outcome"];
  error?: string;
  summary?: string;
  answer?: RunnerResult["answer"];
  diff?: string;
  pushes?: boolean;
}

/** The life of sessions and of orchestrations on a real database, without sandboxes: who plays them says how each ends. */
export interface TestLife extends AsyncDisposable {
  database: Database;
  life: SessionLife;
  deps: OrchestrationDeps;
  orchestrations: Orchestrations;
  /** Sessions that hold a slot, the oldest first. */
  running(): Promise<Id[]>;
  job(id: Id): Promise<Job>;
  /** Its own branch is there, as if it had pushed it. */
  push(id: Id): Promise<void>;
  /** Ends a session that holds a slot. */
  finish(id: Id, how?: Finish): Promise<void>;
}

export async function openSessionLife(options: {
  serverUrl: string;
  slots?: number;
  maxTasks?: number;
  maxChildren?: number;
  publish?: OrchestrationDeps["publish"];
  /** What of these does something. */
  engine?: Partial<SessionDeps["engine"]>;
  runtime?: Partial<Runtime>;
  settings?: Partial<SessionDeps["settings"]>;
  repositorySettings?: SessionDeps["repositories"]["settings"];
}): Promise<TestLife> {
  const { serverUrl, slots = 100, maxTasks = 50, maxChildren = 20, publish = null } = options;
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(serverUrl));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 6 }));
  const stores = createStores(database);
  const log = pino({ level: "silent" });
  const clock = { now: () => new Date() };
  const branches = new Set(["main"]);
  const life = createSessionLife({
    database,
    ...stores,
    notifications: NO_NOTIFICATIONS,
    engine: { begin: nothing, wake: nothing, forget: nothing, ...options.engine },
    runtime: { ...NO_RUNTIME, ...options.runtime },
    repositories: {
      branches: async () => ({
        defaultBranch: "main",
        has: (branch) => branches.has(branch),
        head: () => "0".repeat(40),
      }),
      bring: nothing,
      urlOf: (repository, branch) => `https://forge.example/${repository}/tree/${branch}`,
      settings:
        options.repositorySettings ??
        (async () => ({ settings: RepositorySettings.parse({}), fault: null })),
    },
    redaction: createRedaction([]),
    tools: { namesFor: async () => [] },
    settings: { ...settingsWith(slots), ...options.settings },
    executorId: "test",
    clock,
    log,
  });
  const deps: OrchestrationDeps = {
    database,
    store: createOrchestrationStore(database),
    branches: stores.branches,
    sessions: life.sessions,
    graphs: life.graphs,
    budgets: life.budgets,
    publish,
    settings: { maxTasks, maxChildren },
    clock,
    log,
  };
  async function push(id: Id): Promise<void> {
    const { workBranch, project } = await life.sessions.get(id);
    if (workBranch === null) return;
    branches.add(workBranch);
    await stores.branches.claim(project.repository, workBranch, id, "0".repeat(40));
  }

  const all = parts.move();
  return {
    database,
    life,
    deps,
    orchestrations: createOrchestrations(deps, { onChange: () => undefined }),
    async running() {
      return (await stores.active.list()).map(({ id }) => id).toSorted();
    },
    job: (id) => life.intake.job(id),
    push,
    async finish(id, { pushes = false, outcome = "completed", ...more } = {}) {
      if (pushes) await push(id);
      const result = RunnerResult.parse({ outcome, ...more, lastSeq: 0 });
      await database.db
        .transaction()
        .execute((tx) => insertResultWithin(tx, id, result, clock.now()));
      await life.steps.settle(id, { lastWords: "" });
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const nothing = () => Promise.resolve();

const NO_NOTIFICATIONS = {
  on: () => () => undefined,
  close: nothing,
  [Symbol.asyncDispose]: nothing,
};

const NO_RUNTIME: Runtime = {
  name: "process",
  check: async () => ({ available: false, reason: "there are no sandboxes here" }),
  ensure: async () => "exited",
  inspect: async () => "absent",
  list: async () => [],
  stop: nothing,
  remove: nothing,
  lastWords: async () => "",
};

function settingsWith(slots: number) {
  const sandbox = { memoryBytes: 1, processes: 16, cpuShares: 1 };
  return {
    slots: { total: slots, perRepository: slots, coordinating: slots },
    lifetimeMs: 3_600_000,
    coordinationMs: 3_600_000,
    graceMs: 1_000,
    policy: { pushBranches: ["claude/*"], pushWorkflows: false, maxTokens: null, maxCostUsd: null },
    agent: {
      name: "claude-code",
      executable: "/nonexistent",
      model: null,
      modelForm: {
        form: "anthropic" as const,
        region: null,
        families: { opus: null, sonnet: null, haiku: null },
        serverTools: [],
      },
    },
    author: { name: "Bot", email: "bot@example.invalid" },
    stallMs: 1_000,
    idleMs: 60_000,
    forgeWaitMs: 60_000,
    pauseMs: 604_800_000,
    day: NO_BOUNDS,
    askTools: [],
    approvalMs: 60_000,
    allowedModels: [],
    setupMs: 1_000,
    spoolBytes: 1_000,
    logBytes: 1_000_000,
    sandbox,
    maxima: sandbox,
    prepared: { count: 0, maxAgeMs: 1_000 },
    allowedImages: [],
    hosts: [],
    retentionDays: 0,
    deliveryRetentionDays: 1,
  };
}
