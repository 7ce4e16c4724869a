import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { systemClock } from "./core/clock.ts";
import type { Forge } from "./forge/forge.ts";
import { startConductor } from "./orchestration/conductor.ts";
import type { Orchestrations } from "./orchestration/orchestrations.ts";
import type { FinishedWork } from "./orchestration/deps.ts";
import { createOrchestrations } from "./orchestration/service.ts";
import type { SessionLife } from "./sessions/life.ts";
import type { BranchStore } from "./store/branches.ts";
import type { Database } from "./store/database.ts";
import { createOrchestrationStore } from "./store/orchestrations.ts";
import { createThreadPlanStore } from "./store/thread-plans.ts";
import type { Plans } from "./triggers/plans/deps.ts";
import { openFinishedWork } from "./triggers/report/finished-work.ts";

const CONDUCTOR = { leaseMs: 120_000, pollMs: 1_000 };

/** Orchestrations, and what brings them on. */
export function openOrchestrations(
  options: {
    config: Config;
    database: Database;
    life: Pick<SessionLife, "sessions" | "graphs" | "budgets">;
    branches: BranchStore;
    /** Null: branches are all that work can be left on. */
    forge: Forge | null;
    executorId: string;
    log: Logger;
  },
  parts: AsyncDisposableStack,
): Orchestrations {
  const { config, database, life, branches, forge, executorId, log } = options;
  const threadPlans = createThreadPlanStore(database);
  const deps = {
    database,
    store: createOrchestrationStore(database),
    branches,
    sessions: life.sessions,
    graphs: life.graphs,
    budgets: life.budgets,
    publish:
      forge === null
        ? null
        : async (work: FinishedWork) => {
            const asked = await threadPlans.get(work.orchestrationId);
            return await openFinishedWork(forge, { ...work, asked });
          },
    settings: config.plans,
    clock: systemClock,
    log,
  };
  const conductor = parts.use(startConductor(deps, { ...CONDUCTOR, executorId }));
  return createOrchestrations(deps, { onChange: () => conductor.ring() });
}

/** The same, as far as they are asked for on a forge. */
export function plansOf(orchestrations: Orchestrations): Plans {
  return {
    get: (id) => orchestrations.get(id),
    approve: (id, version) => orchestrations.approve(id, version),
    cancel: (id) => orchestrations.cancel(id),
    async propose(id, { terms, ...request }) {
      const plan = { sessionType: "coordination", autoStart: false, plan: "propose" } as const;
      await orchestrations.create({ ...plan, ...request }, { id, terms });
    },
  };
}
