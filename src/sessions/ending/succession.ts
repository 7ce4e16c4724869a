import { sandboxName } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import type { Tx } from "../../store/database.ts";
import { placeWithin, succeedWithin } from "../../store/orchestrations/orchestration-tasks.ts";
import { insertWithin, readWithin, waitedFor } from "../../store/sessions/sessions.ts";
import { requestWithin } from "../start.ts";

/**
 * Makes the next session in the place of one that has failed, if the plan has one to spare; what has waited for that one
 * waits for this one. Its dependencies have ended long ago, so it waits for nothing but a slot.
 */
export async function succeed(tx: Tx, failed: Id, at: Date): Promise<void> {
  const place = await placeWithin(tx, failed);
  const [id] = place?.spares ?? [];
  const [session] = await readWithin(tx, [failed]);
  if (id === undefined || session === undefined) return;
  const { type, project, dependencies, metadata, options, orchestrationId, onto, terms } = session;
  const insert = {
    id,
    session: { type, project, dependencies, metadata, options },
    sandboxName: sandboxName(id),
    orchestrationId,
    onto,
    terms,
    createdAt: at.toISOString(),
  };
  const waitsFor = await waitedFor(tx, failed);
  await insertWithin(tx, [{ insert, openDependencies: 0, waitsFor }]);
  await requestWithin(tx, id, [], at);
  await succeedWithin(tx, failed, id);
}
