import type { ActiveSession } from "../../store/sessions/active.ts";
import type { SessionDeps } from "../deps.ts";
import { stopSandbox } from "./sandbox.ts";
import { settle } from "../ending/settle.ts";

/** A session that has a slot but no sandbox after this time was forgotten by a crash. */
const BEGIN_AFTER_MS = 5_000;
/** What the engine has not ended by then is ended here. */
const PATIENCE_MS = 60_000;

/**
 * Compares what the store says with what really runs, and sets in motion what is missing: results that nobody woke up
 * for, sandboxes that died, sessions that were told to end and did not, sandboxes that nobody needs any more.
 */
export async function reconcile(deps: SessionDeps): Promise<void> {
  // In this order: a sandbox that is recorded here and does not run afterwards is dead.
  const active = await deps.active.list();
  const sandboxes = await deps.runtime.list();
  const running = new Set(
    sandboxes.filter(({ state }) => state === "running").map(({ name }) => name),
  );
  for (const session of active)
    try {
      await attend(deps, session, running);
    } catch (error) {
      // The others do not wait for it; it is looked at again.
      deps.log.error({ err: error, sessionId: session.id }, "session could not be seen to");
    }
  await removeLeftOvers(
    deps,
    sandboxes.map(({ name }) => name),
    active,
  );
}

async function attend(
  deps: SessionDeps,
  session: ActiveSession,
  running: ReadonlySet<string>,
): Promise<void> {
  const now = deps.clock.now().getTime();
  const overdueMs = endedFor(deps, session, running, now);
  if (overdueMs === null) {
    const waitedMs = now - session.admittedAt.getTime();
    if (session.executorId === null && waitedMs > BEGIN_AFTER_MS)
      await deps.engine.begin(session.id);
    return;
  }
  if (session.isSpare && isWanted(session, now)) {
    // What its workflow begins with sees to another one; a message would end the session.
    await deps.engine.begin(session.id);
    return;
  }
  if (overdueMs < PATIENCE_MS) {
    await deps.engine.wake(session.id);
    return;
  }
  deps.log.warn({ sessionId: session.id }, "session is ended without its workflow");
  await settle(deps, session.id, await stopSandbox(deps, session.id));
}

function isWanted(
  { resultAt, cancelRequestedAt, deadlineAt }: ActiveSession,
  now: number,
): boolean {
  return resultAt === null && cancelRequestedAt === null && deadlineAt.getTime() > now;
}

/** For how long nothing more is to be expected of the session; null: it is still at work. */
function endedFor(
  deps: SessionDeps,
  session: ActiveSession,
  running: ReadonlySet<string>,
  now: number,
): number | null {
  const { graceMs } = deps.settings;
  if (session.resultAt !== null) return now - session.resultAt.getTime();
  const isOurs = session.hasSandbox && session.executorId === deps.executorId;
  // A cancelled session without a sandbox has nobody who could answer.
  const answersUntil = session.executorId === null ? 0 : graceMs;
  const ends = [
    ...(session.isPaused ? [] : [session.deadlineAt.getTime() + graceMs]),
    ...(session.cancelRequestedAt === null
      ? []
      : [session.cancelRequestedAt.getTime() + answersUntil]),
  ];
  const overdueMs = now - Math.min(...ends);
  if (overdueMs >= 0) return overdueMs;
  return isOurs && !running.has(session.sandboxName) ? 0 : null;
}

async function removeLeftOvers(
  deps: SessionDeps,
  names: string[],
  active: ActiveSession[],
): Promise<void> {
  const known = new Set(active.map(({ sandboxName }) => sandboxName));
  const suspects = names.filter((name) => !known.has(name));
  if (suspects.length === 0) return;
  const wanted = await deps.active.wanted(suspects, deps.executorId);
  for (const name of suspects) {
    if (wanted.has(name)) continue;
    try {
      await deps.runtime.remove(name);
      deps.log.info({ sandbox: name }, "left-over sandbox was removed");
    } catch (error) {
      deps.log.error({ err: error, sandbox: name }, "left-over sandbox could not be removed");
    }
  }
}
