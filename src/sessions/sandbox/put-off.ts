import type { Id } from "../../core/id.ts";
import type { SessionDeps } from "../deps.ts";

/** Milliseconds since 1970. */
export interface Later {
  untilMs: number;
}

/** How often a paused session is looked at for which no exit comes. */
const LOOK_MS = 3_600_000;

/** A session that is paused, or was, has another end than the one that its workflow knows. Null: its end has come. */
export async function putOff(deps: SessionDeps, id: Id): Promise<Later | null> {
  const session = await deps.sessions.get(id);
  if (session === null || session.completedAt !== null || session.deadlineAt === null) return null;
  const { pause, pausedMs, cancelRequestedAt, stopReason } = session;
  if (pause === null && pausedMs === 0) return null;
  if (cancelRequestedAt !== null || stopReason !== null) return null;
  if ((await deps.results.get(id)) !== null) return null;
  const isOurs = session.executorId === deps.executorId;
  if (isOurs && (await deps.runtime.inspect(session.sandboxName)) !== "running") return null;
  const now = deps.clock.now().getTime();
  if (pause !== null) return { untilMs: now + LOOK_MS };
  const untilMs = Date.parse(session.deadlineAt) + deps.settings.graceMs;
  return untilMs > now ? { untilMs } : null;
}
