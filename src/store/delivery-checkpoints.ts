import { sql } from "kysely";
import { z } from "zod";
import type { Database } from "./database.ts";

/** How far the deliveries of a forge's hooks are known, and which hub may ask for more. */
export interface DeliveryCheckpoints {
  /** One hub at a time, and not before it is due, unless `now`. */
  claim(by: { executorId: string; leaseMs: number; now: boolean }): Promise<boolean>;
  /** Whether it is still this hub's, for `leaseMs` from now. */
  hold(by: { executorId: string; leaseMs: number }): Promise<boolean>;
  /** Until it is due again. */
  leave(by: { executorId: string; pauseMs: number }): Promise<void>;
  /** Gives back what a hub had claimed that is gone. */
  release(executorId: string): Promise<void>;
  /** Everything before that is known, by the forge's clock; null: there was nothing; undefined: nobody has looked yet. */
  of(hook: string): Promise<Date | null | undefined>;
  reached(hook: string, deliveredAt: Date | null): Promise<void>;
}

/** The row by which hubs take turns; no hook has this name. */
const TURN = "turn";
const Row = z.object({ delivered_at: z.date().nullable() });

export function createDeliveryCheckpoints({ db }: Pick<Database, "db">): DeliveryCheckpoints {
  return {
    async claim({ executorId, leaseMs, now }) {
      await sql`insert into delivery_checkpoints (hook, due_at) values (${TURN}, now())
        on conflict do nothing`.execute(db);
      const { numAffectedRows } =
        await sql`update delivery_checkpoints set claimed_by = ${executorId},
          claimed_until = now() + make_interval(secs => ${leaseMs / 1_000})
        where hook = ${TURN} and (${now} or due_at <= now())
          and (claimed_until is null or claimed_until <= now())`.execute(db);
      return numAffectedRows === 1n;
    },
    async hold({ executorId, leaseMs }) {
      const { numAffectedRows } = await sql`update delivery_checkpoints
        set claimed_until = now() + make_interval(secs => ${leaseMs / 1_000})
        where hook = ${TURN} and claimed_by = ${executorId}`.execute(db);
      return numAffectedRows === 1n;
    },
    async leave({ executorId, pauseMs }) {
      await sql`update delivery_checkpoints set claimed_by = null, claimed_until = null,
          due_at = now() + make_interval(secs => ${pauseMs / 1_000})
        where hook = ${TURN} and claimed_by = ${executorId}`.execute(db);
    },
    async release(executorId) {
      await sql`update delivery_checkpoints set claimed_by = null, claimed_until = null
        where claimed_by = ${executorId}`.execute(db);
    },
    async of(hook) {
      const { rows } = await sql`select delivered_at from delivery_checkpoints
        where hook = ${hook}`.execute(db);
      const [row] = rows;
      return row === undefined ? undefined : Row.parse(row).delivered_at;
    },
    async reached(hook, deliveredAt) {
      await sql`insert into delivery_checkpoints (hook, delivered_at, due_at)
        values (${hook}, ${deliveredAt}, now())
        on conflict (hook) do update set delivered_at = excluded.delivered_at`.execute(db);
    },
  };
}
