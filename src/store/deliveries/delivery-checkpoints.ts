import { sql } from "kysely";
import { z } from "zod";
import type { Database } from "../database.ts";
import { givenBack, holdRows, isFree, releaseRows, taken } from "../lease.ts";
import type { Lease } from "../lease.ts";

/** How far the deliveries of a forge's hooks are known, and which hub may ask for more. */
export interface DeliveryCheckpoints {
  /** One hub at a time, and not before it is due, unless `now`. */
  claim(by: Lease & { now: boolean }): Promise<boolean>;
  /** Whether it is still this hub's, for `leaseMs` from now. */
  hold(lease: Lease): Promise<boolean>;
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
    async claim({ now, ...lease }) {
      await sql`insert into delivery_checkpoints (hook, due_at) values (${TURN}, now())
        on conflict do nothing`.execute(db);
      const { numAffectedRows } = await sql`update delivery_checkpoints set ${taken(lease)}
        where hook = ${TURN} and (${now} or due_at <= now()) and ${isFree()}`.execute(db);
      return numAffectedRows === 1n;
    },
    hold: (lease) => holdRows(db, "delivery_checkpoints", sql`hook = ${TURN}`, lease),
    async leave({ executorId, pauseMs }) {
      await sql`update delivery_checkpoints set ${givenBack},
          due_at = now() + make_interval(secs => ${pauseMs / 1_000})
        where hook = ${TURN} and claimed_by = ${executorId}`.execute(db);
    },
    release: (executorId) => releaseRows(db, "delivery_checkpoints", executorId),
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
