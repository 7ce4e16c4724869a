import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { systemClock } from "./core/clock.ts";
import type { Id } from "./core/id.ts";
import type { Tool } from "./core/tool.ts";
import type { EventFeed } from "./events/feed.ts";
import type { Forge } from "./forge/forge.ts";
import { coordinationNames, createCoordinationTools } from "./mcp/coordination/tools.ts";
import { startConductor } from "./orchestration/conductor.ts";
import type { Conductor } from "./orchestration/conductor.ts";
import type { Orchestrations } from "./orchestration/orchestrations.ts";
import type { FinishedWork } from "./orchestration/deps.ts";
import { createOrchestrations } from "./orchestration/service.ts";
import type { SessionLife } from "./sessions/life.ts";
import type { Database } from "./store/database.ts";
import { createOrchestrationStore } from "./store/orchestrations/orchestrations.ts";
import type { SessionStore } from "./store/sessions/sessions.ts";
import type { createStores } from "./store/stores.ts";
import { createThreadPlanStore } from "./store/threads/thread-plans.ts";
import type { Plans } from "./triggers/plans/deps.ts";
import type { ThreadTools } from "./triggers/tools/tools.ts";
import { openFinishedWork } from "./triggers/report/finished-work.ts";

const CONDUCTOR = { leaseMs: 120_000, pollMs: 1_000 };

/** Of all tools that the hub has for the agent of a session. */
export function namesOf(
  { namesFor }: { namesFor(id: Id): Promise<readonly string[]> },
  sessions: Pick<SessionStore, "get">,
): (id: Id) => Promise<readonly string[]> {
  return async (id) => (await Promise.all([namesFor(id), coordinationNames(sessions, id)])).flat();
}

/** Orchestrations, and what brings them on, once that is begun. */
export function openOrchestrations(options: {
  config: Config;
  database: Database;
  life: Pick<SessionLife, "sessions" | "graphs" | "budgets" | "talk" | "again">;
  stores: Pick<ReturnType<typeof createStores>, "branches" | "events" | "sessions">;
  feed: EventFeed;
  /** Null: branches are all that work can be left on. */
  forge: Forge | null;
  /** What the hub does for agents at the forge. */
  forgeTools: Pick<ThreadTools, "toolsFor">;
  executorId: string;
  log: Logger;
}): {
  orchestrations: Orchestrations;
  plans: Plans;
  /** All that the agent of a session has the hub do. */
  toolsFor(session: { sessionId: Id }): Promise<readonly Tool[]>;
  conduct(): Conductor;
} {
  const { config, database, life, stores, feed, forge, forgeTools, executorId, log } = options;
  const threadPlans = createThreadPlanStore(database);
  const deps = {
    database,
    store: createOrchestrationStore(database),
    branches: stores.branches,
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
  let conductor: Conductor | null = null;
  const orchestrations = createOrchestrations(deps, { onChange: () => conductor?.ring() });
  const coordination = createCoordinationTools({
    sessions: life.sessions,
    talk: life.talk,
    again: life.again,
    orchestrations,
    events: stores.events,
    stored: stores.sessions,
    feed,
    database,
    plans: config.plans,
    log,
  });
  return {
    orchestrations,
    plans: plansOf(orchestrations),
    toolsFor: async (session) =>
      (await Promise.all([forgeTools.toolsFor(session), coordination.toolsFor(session)])).flat(),
    conduct: () => (conductor = startConductor(deps, { ...CONDUCTOR, executorId })),
  };
}

/** The same, as far as they are asked for on a forge. */
function plansOf(orchestrations: Orchestrations): Plans {
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
