import { conflict, notFound } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import { isOver, mayBecome } from "../core/orchestration.ts";
import type { Orchestration, OrchestrationState } from "../core/orchestration.ts";
import type { Tx } from "../store/database.ts";
import {
  changeOrchestrationWithin,
  insertTasksWithin,
  lockOrchestration,
} from "../store/orchestrations/orchestration-writes.ts";
import type { OrchestrationChange } from "../store/orchestrations/orchestration-writes.ts";
import type { OrchestrationDeps } from "./deps.ts";
import type { Planned } from "./planned.ts";

/** Locks an orchestration; always before its sessions are. Throws `not_found`. */
export async function locked(tx: Tx, id: Id): Promise<Orchestration> {
  const found = await lockOrchestration(tx, id);
  if (found === null) throw notFound("Orchestration");
  return found;
}

/** Moves an orchestration on that is locked, as its life allows. */
export async function become(
  tx: Tx,
  { id, state: from }: Pick<Orchestration, "id" | "state">,
  state: OrchestrationState,
  { at, ...change }: OrchestrationChange & { at: Date },
): Promise<void> {
  if (!mayBecome(from, state))
    throw new Error(`an orchestration that is ${from} cannot become ${state}`);
  await changeOrchestrationWithin(tx, id, {
    ...change,
    state,
    ...(state === "running" ? { startedAt: at.toISOString() } : {}),
    ...(isOver(state) ? { endedAt: at.toISOString() } : {}),
  });
}

/** Makes sessions, with what each is there for, in one transaction; null: none are to be made. */
export async function makeSessions(
  { graphs }: Pick<OrchestrationDeps, "graphs">,
  id: Id,
  made: (tx: Tx) => Promise<Planned | null>,
  { starts } = { starts: true },
): Promise<Planned | null> {
  return await graphs.create(id, {
    starts,
    made,
    after: (tx, { rows }) => insertTasksWithin(tx, rows),
  });
}

export function ended(state: OrchestrationState) {
  return conflict(`Orchestration has already ended (state: ${state})`);
}
