import { sandboxName } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import type { NewSession } from "../core/session.ts";
import { SessionTerms } from "../core/session-terms.ts";
import type { Tx } from "../store/database.ts";
import { lockSessions } from "../store/log/events.ts";
import { insertWithin, readWithin, unfinishedOf } from "../store/sessions/sessions.ts";
import { inTransaction } from "../store/transaction.ts";
import { cancelWithin } from "./cancel.ts";
import type { SessionDeps } from "./deps.ts";
import { limitsFor } from "./limits.ts";
import { requestWithin } from "./start.ts";

/** One session of several that are made together; what it comes after stands before it. */
export interface GraphNode {
  /** Later than those of what it comes after. */
  id: Id;
  /** Its dependencies are nodes of the same graph, and have to complete; or sessions that have completed already. */
  session: NewSession;
  /** Nodes that have to have ended, whichever way. */
  waitsFor?: Id[];
  /** Nodes that attempt the same: all have to have ended, and the best one to have completed. */
  undecided?: Id[];
  terms?: Partial<SessionTerms>;
}

/** What sessions that are one thing are made of, by whoever wants them. */
export interface GraphPlan<Made extends { nodes: GraphNode[] }> {
  /** Whether they are to run as soon as they may. */
  starts: boolean;
  /**
   * Locks what the graph belongs to, and says of what it consists: null makes nothing. Asked again when the transaction
   * collided with another one, so it answers all that follows, and leaves nothing behind.
   */
  made(tx: Tx): Promise<Made | null>;
  /** Stores what belongs to it. */
  after(tx: Tx, made: Made): Promise<void>;
}

/** Sessions that are one thing: they are there together or not at all. */
export interface SessionGraphs {
  /** Makes them in one transaction; answers what was made in the one that was committed. */
  create<Made extends { nodes: GraphNode[] }>(
    orchestrationId: Id,
    graph: GraphPlan<Made>,
  ): Promise<Made | null>;
  /** Cancels all that has not ended, unless `before` says no; those that hold a slot end soon after. */
  cancel(orchestrationId: Id, before: (tx: Tx) => Promise<boolean>): Promise<void>;
  /** Cancels these, as far as they have not ended, and what depends on them. */
  cancelThese(ids: Id[], reason: string): Promise<void>;
}

/** Makes sessions that depend on each other, within a transaction. */
export async function createGraph<Made extends { nodes: GraphNode[] }>(
  deps: SessionDeps,
  orchestrationId: Id,
  graph: GraphPlan<Made>,
): Promise<Made | null> {
  return await inTransaction(deps.database, async (tx) => {
    const made = await graph.made(tx);
    if (made === null) return null;
    const { nodes } = made;
    const at = deps.clock.now();
    const own = new Set(nodes.map(({ id }) => id));
    for (const { id, session, waitsFor = [], undecided = [], terms } of nodes) {
      limitsFor(deps.settings, session.options?.limits);
      const insert = {
        id,
        session,
        sandboxName: sandboxName(id),
        orchestrationId,
        terms: terms === undefined ? null : SessionTerms.parse(terms),
        createdAt: at.toISOString(),
      };
      const before = [...session.dependencies, ...waitsFor, ...undecided].filter((one) =>
        own.has(one),
      );
      await insertWithin(tx, [{ insert, openDependencies: before.length, waitsFor, undecided }]);
      if (graph.starts) await requestWithin(tx, id, before, at);
    }
    await graph.after(tx, made);
    return made;
  });
}

/** Cancels sessions that are not wanted any more, within one transaction. */
export async function cancelThese(deps: SessionDeps, ids: Id[], reason: string): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, ids);
    const at = deps.clock.now();
    for (const session of (await readWithin(tx, ids)).toReversed())
      if (session.completedAt === null) await cancelWithin(tx, session, at, reason);
  });
}

/** Cancels all sessions of an orchestration that have not ended, within one transaction. */
export async function cancelGraph(
  deps: SessionDeps,
  orchestrationId: Id,
  before: (tx: Tx) => Promise<boolean>,
): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    if (!(await before(tx))) return;
    let open = await unfinishedOf(tx, orchestrationId);
    for (;;) {
      await lockSessions(tx, open);
      // While the locks were waited for, another one may have taken the place of one that failed.
      const found = await unfinishedOf(tx, orchestrationId);
      if (found.every((id) => open.includes(id))) break;
      open = found;
    }
    const at = deps.clock.now();
    // The last first, so that each is told the true reason, and not that another one was cancelled.
    for (const session of (await readWithin(tx, open)).toReversed())
      if (session.completedAt === null) await cancelWithin(tx, session, at);
  });
}
