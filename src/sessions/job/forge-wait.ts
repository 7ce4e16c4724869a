import { sql } from "kysely";
import { z } from "zod";
import { forbidden, HubError } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { Tx } from "../../store/database.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "../talk/event-at.ts";

export function isForgeAway(error: unknown): error is HubError {
  return error instanceof HubError && error.code === "upstream_failed";
}

/**
 * A session that has been started waits for a forge that is away: its log says so once. Answers with what it is to end when
 * it has waited for too long.
 */
export async function waitedInVain(
  deps: SessionDeps,
  id: Id,
  error: HubError,
): Promise<HubError | null> {
  const since = await tellWaiting(deps, id, error.message);
  const { forgeWaitMs } = deps.settings;
  if (since === null || deps.clock.now().getTime() - since < forgeWaitMs) return null;
  return forbidden(`${error.message} for ${Math.round(forgeWaitMs / 1_000)} s`, error);
}

/** Answers since when it has waited (milliseconds since 1970); null: nobody has started it, or it has ended. */
async function tellWaiting(deps: SessionDeps, id: Id, reason: string): Promise<number | null> {
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || session.admittedAt === null || session.completedAt !== null)
      return null;
    const told = await awaitedWithin(tx, id);
    if (told !== null) return told.at.getTime();
    const at = deps.clock.now();
    const events = [eventAt(at, "repository.awaited", { reason })];
    await appendWithin(tx, [{ sessionId: id, events }]);
    return at.getTime();
  });
}

/** Why a session has not begun although it has been started; null: it has, or nothing is known. */
export async function whyNotBegun(tx: Tx, id: Id): Promise<string | null> {
  const awaited = await awaitedWithin(tx, id);
  if (awaited === null) return null;
  const begun = await sql`select 1 from events
    where session_id = ${id} and kind = 'agent.started' limit 1`.execute(tx);
  return begun.rows.length > 0 ? null : awaited.reason;
}

const AwaitedRow = z.object({ at: z.date(), reason: z.string() });

async function awaitedWithin(tx: Tx, id: Id): Promise<z.infer<typeof AwaitedRow> | null> {
  const { rows } = await sql`select at, body->>'reason' as reason from events
    where session_id = ${id} and kind = 'repository.awaited' order by seq limit 1`.execute(tx);
  const [row] = rows;
  return row === undefined ? null : AwaitedRow.parse(row);
}
