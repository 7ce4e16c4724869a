import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database, Tx } from "../database.ts";

/** What a session's runner is told, each once and in order. */
export const OrderKind = z.enum(["message", "interrupt", "pause", "resume"]);
export type OrderKind = z.infer<typeof OrderKind>;

export interface Order {
  id: Id;
  /** Counts from 1 in its session. */
  position: number;
  kind: OrderKind;
  text: string;
  sender: string;
  at: string;
  deliveredAt: string | null;
}

export interface MessageStore {
  /** What has not been delivered and comes after that position; the first ones of it. */
  waiting(sessionId: Id, after: number, limit: number): Promise<Order[]>;
  /** Safe to repeat: the first moment counts. */
  delivered(sessionId: Id, ids: Id[], at: Date): Promise<void>;
}

const time = z.date().transform((date) => date.toISOString());
const Row = z.object({
  id: z.string(),
  position: z.int(),
  kind: OrderKind,
  text: z.string(),
  sender: z.string(),
  at: time,
  delivered_at: time.nullable(),
});

export function createMessageStore({ db }: Database): MessageStore {
  return {
    async waiting(sessionId, after, limit) {
      const rows = await db
        .selectFrom("session_messages")
        .selectAll()
        .where("session_id", "=", sessionId)
        .where("delivered_at", "is", null)
        .where("position", ">", after)
        .orderBy("position")
        .limit(limit)
        .execute();
      return rows.map(toOrder);
    },
    async delivered(sessionId, ids, at) {
      await db
        .updateTable("session_messages")
        .set({ delivered_at: at })
        .where("session_id", "=", sessionId)
        .where("id", "in", ids)
        .where("delivered_at", "is", null)
        .execute();
    },
  };
}

/** Of a session that the transaction has locked. */
export async function countOrders(
  tx: Tx,
  sessionId: Id,
): Promise<{ all: number; waiting: number }> {
  const { all, waiting } = await tx
    .selectFrom("session_messages")
    .select((from) => [
      from.fn.countAll<string>().as("all"),
      from.fn.countAll<string>().filterWhere("delivered_at", "is", null).as("waiting"),
    ])
    .where("session_id", "=", sessionId)
    .executeTakeFirstOrThrow();
  return { all: Number(all), waiting: Number(waiting) };
}

/** When a session was given an order; null: it was not. */
export async function orderWithin(
  tx: Tx,
  sessionId: Id,
  id: Id,
): Promise<Pick<Order, "id" | "at"> | null> {
  const row = await tx
    .selectFrom("session_messages")
    .select("at")
    .where("session_id", "=", sessionId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? null : { id, at: row.at.toISOString() };
}

/** @param after What comes later; 0: all of them. */
export async function hasWaiting(tx: Tx, sessionId: Id, after: number): Promise<boolean> {
  const row = await tx
    .selectFrom("session_messages")
    .select("id")
    .where("session_id", "=", sessionId)
    .where("delivered_at", "is", null)
    .where("position", ">", after)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** To a session that the transaction has locked. */
export async function insertOrderWithin(
  tx: Tx,
  sessionId: Id,
  order: Omit<Order, "deliveredAt">,
): Promise<void> {
  await tx
    .insertInto("session_messages")
    .values({ ...order, session_id: sessionId })
    .execute();
}

function toOrder(row: unknown): Order {
  const { delivered_at, ...order } = Row.parse(row);
  return { ...order, deliveredAt: delivered_at };
}
