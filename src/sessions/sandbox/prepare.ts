import type { Id } from "../../core/id.ts";
import { lockSessions } from "../../store/log/events.ts";
import type { PreparedSession } from "../../store/sessions/prepared.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import { shared } from "./admit.ts";
import type { SessionDeps } from "../deps.ts";
import { makeSandbox } from "./sandbox.ts";
import { withdraw } from "./withdraw.ts";

/** After a failure nothing is prepared for a while: whoever starts a session is told what is wrong. */
const PAUSE_MS = 30_000;
/** While as many are prepared as may be, nobody looks more often. */
const LOOK_MS = 1_000;
/** A hub that was killed while it made a sandbox has left one that is recorded nowhere. */
const UNFINISHED_MS = 120_000;

export interface Preparation {
  /** Makes what is missing and takes back what is of no use any more. */
  look(): Promise<void>;
  /** There is a new session. Costs nothing while there are enough. */
  soon(): void;
}

/** Sandboxes for sessions that nobody has started yet, so that their start is fast. */
export function createPreparation(deps: SessionDeps): Preparation {
  const { count, maxAgeMs } = deps.settings.prepared;
  let restUntil = 0;

  const look = shared(async () => {
    const now = deps.clock.now().getTime();
    const { kept, died } = await keepUseful(deps, now - maxAgeMs, now);
    if (died) restUntil = now + PAUSE_MS;
    if (now < restUntil) return;
    const free = count - kept;
    if (free <= 0) {
      restUntil = now + LOOK_MS;
      return;
    }
    const since = new Date(now - maxAgeMs);
    for (const id of await deps.prepared.candidates({ since, limit: free }))
      if (!(await prepare(deps, id))) restUntil = now + PAUSE_MS;
  });

  return {
    look,
    soon() {
      if (count === 0 || deps.clock.now().getTime() < restUntil) return;
      look().catch((error: unknown) =>
        deps.log.debug({ err: error }, "sandboxes could not be prepared"),
      );
    },
  };
}

/** Takes back what has waited too long or has died; answers how many are left, and whether any has died. */
async function keepUseful(
  deps: SessionDeps,
  oldest: number,
  now: number,
): Promise<{ kept: number; died: boolean }> {
  const found = await deps.prepared.list(deps.executorId);
  let [kept, died] = [0, false];
  for (const session of found) {
    const isOld = session.preparedAt.getTime() < oldest;
    const isDead = !isOld && (await hasDied(deps, session, now));
    if (!isOld && !isDead) kept += 1;
    else if (await deps.inTurn(session.id, () => withdraw(deps, session.id, null))) died ||= isDead;
  }
  return { kept, died };
}

async function hasDied(
  deps: SessionDeps,
  { sandboxName, preparedAt, hasSandbox }: PreparedSession,
  now: number,
): Promise<boolean> {
  if (!hasSandbox) return now - preparedAt.getTime() > UNFINISHED_MS;
  return (await deps.runtime.inspect(sandboxName)) !== "running";
}

/** False: it could not be done. */
async function prepare(deps: SessionDeps, id: Id): Promise<boolean> {
  return await deps.inTurn(id, async () => {
    const session = await claim(deps, id);
    if (session === null) return true;
    try {
      await makeSandbox(deps, session);
      return true;
    } catch (error) {
      deps.log.warn({ err: error, sessionId: id }, "sandbox could not be prepared");
      await withdraw(deps, id, null);
      return false;
    }
  });
}

/** Null: it has been started or has ended since it was chosen. */
async function claim(deps: SessionDeps, id: Id): Promise<StoredSession | null> {
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || session.completedAt !== null) return null;
    if (session.requestedAt !== null || session.executorId !== null) return null;
    const claimed = { executor_id: deps.executorId, prepared_at: deps.clock.now() };
    await tx.updateTable("sessions").set(claimed).where("id", "=", id).execute();
    return session;
  });
}
