import { conflict, invalidRequest, notFound } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import { LIMITS } from "../core/limits.ts";
import { isOver } from "../core/orchestration.ts";
import { NO_TERMS } from "../core/orchestration.ts";
import type {
  Orchestration,
  OrchestrationState,
  OrchestrationTerms,
  OrchestrationView,
} from "../core/orchestration.ts";
import { graphOf } from "../core/plan-graph.ts";
import { planFault } from "../core/plan.ts";
import type { Plan, PlanBounds } from "../core/plan.ts";
import { asHubError } from "../store/failure.ts";
import {
  changeOrchestrationWithin,
  insertOrchestrationWithin,
  termsWithin,
} from "../store/orchestrations/orchestration-writes.ts";
import { inTransaction } from "../store/transaction.ts";
import { advance, plannerRow, SESSIONS } from "./advance.ts";
import { become, ended, locked, makeSessions } from "./change.ts";
import type { OrchestrationDeps } from "./deps.ts";
import type {
  NewOrchestration,
  OrchestrateOptions,
  Orchestrated,
  Orchestrations,
} from "./orchestrations.ts";
import { planned } from "./planned.ts";
import type { Planned } from "./planned.ts";
import { plannerNode } from "./proposal.ts";

/** @param more `onChange`: something can be done for an orchestration by now. */
export function createOrchestrations(
  deps: OrchestrationDeps,
  { onChange }: { onChange(): void },
): Orchestrations {
  async function get(id: Id): Promise<OrchestrationView> {
    // Whoever looks sees what its sessions have come to, also where nobody has looked since.
    await advance(deps, id);
    const found = await deps.store.get(id).catch(throwAsHubError);
    if (found === null) throw notFound("Orchestration");
    const sessions = await deps.store.sessions(id, SESSIONS).catch(throwAsHubError);
    const budget = await deps.budgets.view(id);
    const edges = found.plan === null ? [] : graphOf(found.plan).edges;
    return { ...found, edges, budget, sessions };
  }

  return {
    get,
    async create(input, more = {}) {
      const made = await create(deps, input, more);
      onChange();
      return made;
    },
    async list({ limit = LIMITS.listPage, cursor, ...filter }) {
      const found = await deps.store
        .list({ ...filter, before: cursor, limit: limit + 1 })
        .catch(throwAsHubError);
      const orchestrations = found.slice(0, limit);
      const last = found.length > limit ? orchestrations.at(-1) : undefined;
      return { orchestrations, nextCursor: last?.id ?? null };
    },
    async changePlan(id, { plan, version }) {
      await inTransaction(deps.database, async (tx) => {
        const orchestration = await locked(tx, id);
        refuseFaults(plan, { ...deps.settings, budget: orchestration.options.budget });
        demandVersion(orchestration, version);
        if (orchestration.state !== "proposed") throw notProposed(orchestration.state);
        await changeOrchestrationWithin(tx, id, { plan, planVersion: version + 1 });
      });
      return await get(id);
    },
    async approve(id, version) {
      await approve(deps, id, version);
      onChange();
      return await get(id);
    },
    async cancel(id) {
      await cancel(deps, id);
      onChange();
      return await get(id);
    },
  };
}

async function create(
  deps: OrchestrationDeps,
  input: NewOrchestration,
  { id = newId(), terms }: OrchestrateOptions,
): Promise<Orchestrated> {
  const { project, metadata = {}, options = {}, plan } = input;
  const given = plan === undefined || plan === "propose" ? null : plan;
  if (given !== null) refuseFaults(given, { ...deps.settings, budget: options.budget });
  const autoStart = options.autoStart ?? input.autoStart;
  const at = deps.clock.now().toISOString();
  const state = firstState(plan, autoStart);
  const orchestration: Orchestration = {
    id,
    kind: plan === undefined ? "coordinate" : "plan",
    state,
    project,
    metadata,
    options,
    autoStart,
    plan: given,
    planVersion: given === null ? 0 : 1,
    error: null,
    summary: null,
    branch: null,
    pullRequestUrl: null,
    createdAt: at,
    startedAt: state === "running" ? at : null,
    cancelRequestedAt: null,
    endedAt: null,
  };
  const first = firstSessions(orchestration, deps.settings, terms ?? NO_TERMS);
  const made = await makeSessions(
    deps,
    id,
    async (tx) => ((await insertOrchestrationWithin(tx, orchestration, terms)) ? first : null),
    { starts: state === "running" || state === "proposing" },
  );
  const ids = made?.nodes.map((node) => node.id) ?? (await sessionIdsOf(deps, id));
  const sessions = await Promise.all(ids.map((one) => deps.sessions.get(one)));
  return {
    orchestrationId: id,
    status: sessions[0]?.status ?? "initializing",
    sessions,
    summary: summaryOf(orchestration, sessions.length),
    state,
    planVersion: orchestration.planVersion,
  };
}

/** Of one that was made before, by who asked for it first. */
async function sessionIdsOf({ store }: OrchestrationDeps, id: Id): Promise<Id[]> {
  return (await store.sessions(id, SESSIONS)).map(({ sessionId }) => sessionId);
}

function firstState(plan: NewOrchestration["plan"], autoStart: boolean): OrchestrationState {
  if (plan === "propose") return "proposing";
  if (autoStart) return "running";
  return plan === undefined ? "approved" : "proposed";
}

function firstSessions(
  orchestration: Orchestration,
  { maxTasks }: OrchestrationDeps["settings"],
  terms: OrchestrationTerms,
): Planned {
  const { id, kind, state, plan, autoStart, project, metadata, options } = orchestration;
  if (plan !== null)
    return state === "running" ? planned(orchestration, plan, terms) : { nodes: [], rows: [] };
  const first = newId();
  if (kind === "plan")
    return {
      nodes: [plannerNode(orchestration, first, { maxTasks, refused: null, terms })],
      rows: [plannerRow(id, first, 1)],
    };
  const session = {
    type: "coordination" as const,
    project,
    dependencies: [],
    metadata,
    options: { ...options, autoStart },
  };
  return {
    nodes: [{ id: first, session, terms: { toolset: "coordination" } }],
    rows: [
      {
        sessionId: first,
        orchestrationId: id,
        role: "coordinator",
        taskId: null,
        title: "Coordination",
      },
    ],
  };
}

function summaryOf({ kind, state, project }: Orchestration, sessions: number): string {
  const whose = `Orchestration of ${project.repository}`;
  if (kind === "coordinate") {
    const begun = state === "running" ? "has been started" : "is ready to be started";
    return `${whose}: its coordinating session ${begun}`;
  }
  if (state === "proposing") return `${whose}: a plan is being made`;
  if (state === "proposed") return `${whose}: its plan waits to be approved`;
  return `${whose}: ${sessions} sessions have been started`;
}

async function approve(
  deps: OrchestrationDeps,
  id: Id,
  version: number | undefined,
): Promise<void> {
  await makeSessions(deps, id, async (tx) => {
    const orchestration = await locked(tx, id);
    const { plan, state } = orchestration;
    if (version !== undefined) demandVersion(orchestration, version);
    if (state === "running" && plan !== null) return null;
    if (state !== "proposed" || plan === null) throw notProposed(state);
    // The bound may be another one by now.
    refuseFaults(plan, { ...deps.settings, budget: orchestration.options.budget });
    await become(tx, orchestration, "running", { at: deps.clock.now() });
    return planned(orchestration, plan, await termsWithin(tx, id));
  });
}

async function cancel(deps: OrchestrationDeps, id: Id): Promise<void> {
  await deps.graphs.cancel(id, async (tx) => {
    const orchestration = await locked(tx, id);
    if (isOver(orchestration.state)) throw ended(orchestration.state);
    const at = deps.clock.now();
    const cancelRequestedAt = orchestration.cancelRequestedAt ?? at.toISOString();
    // Nobody works on it: there is nothing to wait for.
    if (orchestration.state === "proposed") {
      const error = "Cancelled on request";
      await become(tx, orchestration, "cancelled", { error, cancelRequestedAt, at });
    } else await changeOrchestrationWithin(tx, id, { cancelRequestedAt });
    return true;
  });
}

function refuseFaults(plan: Plan, bounds: PlanBounds): void {
  const fault = planFault(plan, bounds);
  if (fault !== null) throw invalidRequest(`plan.${fault.path}`, fault.reason);
}

function demandVersion({ planVersion }: Orchestration, version: number): void {
  if (version !== planVersion)
    throw conflict(`The plan was changed meanwhile: its version is ${planVersion}, not ${version}`);
}

function notProposed(state: OrchestrationState) {
  return conflict(`Orchestration has no plan that waits to be approved (state: ${state})`);
}

function throwAsHubError(error: unknown): never {
  throw asHubError(error);
}
