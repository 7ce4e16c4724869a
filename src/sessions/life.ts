import { LIMITS } from "../core/limits.ts";
import { notFound } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import { createTurns } from "../runtimes/turns.ts";
import { waitingBefore } from "../store/sessions/admission.ts";
import { asHubError } from "../store/failure.ts";
import { latestOf } from "../store/sessions/sessions.ts";
import { admit, shared } from "./sandbox/admit.ts";
import { createApprovals } from "./talk/approvals.ts";
import type { SessionApprovals } from "./talk/approvals.ts";
import { createAgain } from "./talk/again.ts";
import type { SessionAgain } from "./talk/again.ts";
import { createSharedBudgets } from "./budgets/budgets.ts";
import type { SharedBudgets } from "./budgets/budgets.ts";
import { watchBudgets } from "./budgets/budget-watch.ts";
import { cancelSession } from "./cancel.ts";
import { createSession } from "./create.ts";
import type { SessionDeps } from "./deps.ts";
import { cancelGraph, cancelThese, createGraph } from "./graph.ts";
import type { SessionGraphs } from "./graph.ts";
import { createIntake } from "./intake.ts";
import type { Intake } from "./intake.ts";
import { artifactsOf, outputOf } from "./ending/output.ts";
import { expire } from "./ending/retention.ts";
import { createPauses, lookAtPauses } from "./talk/pause.ts";
import type { SessionPauses } from "./talk/pause.ts";
import { createPreparation } from "./sandbox/prepare.ts";
import type { Preparation } from "./sandbox/prepare.ts";
import { putOff } from "./sandbox/put-off.ts";
import type { Later } from "./sandbox/put-off.ts";
import { reconcile } from "./sandbox/reconcile.ts";
import { ensure } from "./sandbox/ensure.ts";
import { stopSandbox } from "./sandbox/sandbox.ts";
import type { Sessions } from "./sessions.ts";
import { settle } from "./ending/settle.ts";
import type { Remains } from "./ending/settle.ts";
import { awaited, requestStart } from "./start.ts";
import { createTalk } from "./talk/talk.ts";
import type { SessionTalk } from "./talk/talk.ts";

/** What the engine does for a session, one function a step; each may be repeated. */
export interface SessionSteps {
  /** Until when the exit is worth waiting for (milliseconds since 1970); null: do not wait. */
  ensure(id: Id): Promise<number | null>;
  /** What is left of its sandbox; or until when its exit is worth waiting for, if its time was put off. */
  stop(id: Id): Promise<Remains | Later>;
  settle(id: Id, remains: Remains): Promise<void>;
}

/** What is to be done again and again, so that nothing that a crash left behind stays. */
export interface Upkeep {
  admit(): Promise<void>;
  reconcile(): Promise<void>;
  /** Tells sessions of budgets that are nearly used up, and ends those whose time is. */
  budgets(): Promise<void>;
  /** Has sessions go on whose pause is over. */
  pauses(): Promise<void>;
  /** Makes sandboxes in advance. */
  prepare(): Promise<void>;
  /** Deletes what has been kept long enough. */
  expire(): Promise<void>;
}

export interface SessionLife {
  sessions: Sessions;
  graphs: SessionGraphs;
  talk: SessionTalk;
  again: SessionAgain;
  approvals: SessionApprovals;
  budgets: SharedBudgets;
  pauses: SessionPauses;
  steps: SessionSteps;
  intake: Intake;
  upkeep: Upkeep;
}

/** The life of sessions, once for each of its users. */
export function createSessionLife(parts: Omit<SessionDeps, "inTurn">): SessionLife {
  const deps: SessionDeps = { ...parts, inTurn: createTurns() };
  const giveSlots = shared(() => admit(deps));
  const preparation = createPreparation(deps);
  /** Asked for after the request itself is stored; when it fails now, upkeep does it. */
  const giveSlotsNow = async (): Promise<void> => {
    try {
      await giveSlots();
    } catch (error) {
      deps.log.warn({ err: error }, "slots could not be given");
    }
  };
  return {
    sessions: createSessions(deps, giveSlotsNow, preparation),
    graphs: createGraphs(deps, giveSlotsNow, preparation),
    talk: createTalk(deps),
    again: createAgain(deps),
    approvals: createApprovals(deps),
    budgets: createSharedBudgets(deps),
    pauses: createPauses(deps),
    steps: createSteps(deps, giveSlots),
    intake: createIntake(deps),
    upkeep: {
      admit: giveSlots,
      reconcile: () => reconcile(deps),
      budgets: () => watchBudgets(deps),
      pauses: () => lookAtPauses(deps),
      prepare: preparation.look,
      expire: () => expire(deps),
    },
  };
}

function createGraphs(
  deps: SessionDeps,
  giveSlotsNow: () => Promise<void>,
  preparation: Preparation,
): SessionGraphs {
  return {
    async create(orchestrationId, graph) {
      const made = await createGraph(deps, orchestrationId, graph);
      if (graph.starts) await giveSlotsNow();
      else preparation.soon();
      return made;
    },
    async cancel(orchestrationId, before) {
      await cancelGraph(deps, orchestrationId, before);
      await giveSlotsNow();
    },
    async cancelThese(ids, reason) {
      await cancelThese(deps, ids, reason);
      await giveSlotsNow();
    },
  };
}

function createSessions(
  deps: SessionDeps,
  giveSlotsNow: () => Promise<void>,
  preparation: Preparation,
): Sessions {
  async function get(id: Id) {
    const session = await deps.sessions.get(id).catch(throwAsHubError);
    if (session === null) throw notFound("Session");
    return session;
  }

  return {
    get,
    ahead: (id) => waitingBefore(deps.database, id).catch(throwAsHubError),
    async create(input, more = {}) {
      const before = more.id === undefined ? null : await deps.sessions.get(more.id);
      const session = before ?? (await createSession(deps, input, more));
      if (session.requestedAt === null) {
        preparation.soon();
        return session;
      }
      await giveSlotsNow();
      return await get(session.id);
    },
    async start(id) {
      await requestStart(deps, id);
      await giveSlotsNow();
      const session = await get(id);
      const waitingFor =
        session.status === "pending"
          ? await awaited(deps.database.db, session).catch(throwAsHubError)
          : [];
      return { session, waitingFor };
    },
    latest: (id) => latestOf(deps.database.db, id).catch(throwAsHubError),
    writerOf: (repository, branch) =>
      deps.branches.owner(repository, branch).catch(throwAsHubError),
    async list({ limit = LIMITS.listPage, cursor, ...filter }) {
      const sessions = await deps.sessions
        .list({ ...filter, before: cursor, limit: limit + 1 })
        .catch(throwAsHubError);
      const page = sessions.slice(0, limit);
      const nextCursor = sessions.length > limit ? (page.at(-1)?.id ?? null) : null;
      return { sessions: page, nextCursor };
    },
    async cancel(id) {
      await cancelSession(deps, id);
      await giveSlotsNow();
      return await get(id);
    },
    output: (id) => outputOf(deps, id).catch(throwAsHubError),
    async artifacts(id) {
      await get(id);
      return await artifactsOf(deps, id).catch(throwAsHubError);
    },
    async diff(id) {
      await get(id);
      return (await deps.results.diff(id).catch(throwAsHubError)) ?? "";
    },
    async answer(id) {
      await get(id);
      return await deps.results.answer(id).catch(throwAsHubError);
    },
  };
}

function createSteps(deps: SessionDeps, giveSlots: () => Promise<void>): SessionSteps {
  return {
    ensure: (id) => ensure(deps, id),
    stop: async (id) => (await putOff(deps, id)) ?? (await stopSandbox(deps, id)),
    async settle(id, remains) {
      await settle(deps, id, remains);
      await giveSlots();
      const session = await deps.sessions.get(id);
      if (session !== null) await deps.runtime.remove(session.sandboxName);
    },
  };
}

function throwAsHubError(error: unknown): never {
  throw asHubError(error);
}
