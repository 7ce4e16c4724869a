import { sql } from "kysely";
import { z } from "zod";
import type { Database } from "../database.ts";
import { claimRows, givenBack, holdRows, isFree } from "../lease.ts";
import type { Lease } from "../lease.ts";

/** `done`: something came of it. `ignored`: nothing was to be done. `failed`: given up after several attempts. */
export type DeliveryEnd = "done" | "ignored" | "failed";

/** A delivery that is being worked off; nobody else has it until its claim runs out. */
export interface ClaimedDelivery {
  number: number;
  provider: string;
  deliveryId: string;
  event: string;
  payload: Buffer;
  receivedAt: string;
  /** This one included. */
  attempts: number;
}

/** Deliveries that wait to be worked off. Those of one thread are handed out one after the other, the oldest first. */
export interface DeliveryQueue {
  claim(claim: Lease & { limit: number }): Promise<ClaimedDelivery[]>;
  /** For as long as work on them goes on. */
  renew(claim: Lease & { numbers: readonly number[] }): Promise<void>;
  /** Changes nothing when the claim has run out and somebody else has taken it. */
  finish(
    claimed: ClaimedDelivery,
    end: { executorId: string; state: DeliveryEnd; outcome: string; at: Date },
  ): Promise<void>;
  /** To be tried again; what comes after it on its thread waits for it. */
  postpone(
    claimed: ClaimedDelivery,
    more: { executorId: string; outcome: string; dueAt: Date },
  ): Promise<void>;
  /** Gives back what a hub had claimed that is not at work on it any more. */
  release(executorId: string): Promise<void>;
}

const Row = z
  .object({
    number: z.coerce.number().int(),
    provider: z.string(),
    delivery_id: z.string(),
    event: z.string(),
    payload: z.instanceof(Buffer),
    received_at: z.date(),
    attempts: z.int(),
  })
  .transform((row) => ({
    number: row.number,
    provider: row.provider,
    deliveryId: row.delivery_id,
    event: row.event,
    payload: row.payload,
    receivedAt: row.received_at.toISOString(),
    attempts: row.attempts,
  }));

export function createDeliveryQueue({ db }: Database): DeliveryQueue {
  return {
    async claim({ limit, ...lease }) {
      // Who else claims at this moment skips these rows; the thread's next one is seen only when this one has ended, also
      // when that is an older one which was put back meanwhile.
      const due = sql`where state = 'waiting' and (due_at is null or due_at <= now()) and ${isFree()}
          and not exists (
            select 1 from deliveries e
            where e.thread = deliveries.thread and e.state = 'waiting' and e.number <> deliveries.number
              and (e.number < deliveries.number or e.claimed_until > now())
          ) order by number`;
      const set = sql`attempts = attempts + 1`;
      const returning = sql`one.number, provider, delivery_id, event, payload, received_at, attempts`;
      const what = { table: "deliveries", key: ["number"], due, limit, set, returning };
      const rows = await claimRows(db, what, lease);
      return rows.map((row) => Row.parse(row)).toSorted((a, b) => a.number - b.number);
    },
    async renew({ numbers, ...lease }) {
      await holdRows(db, "deliveries", sql`number = any(${[...numbers]})`, lease);
    },
    async finish({ number, attempts }, { executorId, state, outcome, at }) {
      await sql`update deliveries set state = ${state}, outcome = ${outcome}, finished_at = ${at}, ${givenBack}
        where number = ${number} and attempts = ${attempts} and claimed_by = ${executorId}`.execute(
        db,
      );
    },
    async postpone({ number, attempts }, { executorId, outcome, dueAt }) {
      await sql`update deliveries set due_at = ${dueAt}, outcome = ${outcome}, ${givenBack}
        where number = ${number} and attempts = ${attempts} and claimed_by = ${executorId}`.execute(
        db,
      );
    },
    async release(executorId) {
      await sql`update deliveries set ${givenBack}
        where claimed_by = ${executorId} and state = 'waiting'`.execute(db);
    },
  };
}
