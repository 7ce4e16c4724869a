import { sql } from "kysely";
import type { Id } from "../../core/id.ts";
import type { Tx } from "../../store/database.ts";

/**
 * Has a session that is locked and holds a slot ended before its time, as failed, with its work kept like that of any
 * other end.
 *
 * @param reason One sentence, safe for a caller.
 */
export async function stopWithin(tx: Tx, id: Id, reason: string, at: Date): Promise<void> {
  await tx
    .updateTable("sessions")
    .set({ stop_requested_at: at, stop_reason: reason })
    .where("id", "=", id)
    .execute();
  await sql`select pg_notify('claude_hub_commands', ${id})`.execute(tx);
}
