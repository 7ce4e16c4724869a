import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { z } from "zod";
import { DeliveryState } from "../../core/delivery.ts";
import type { Database } from "../database.ts";
import type { Delivery } from "./deliveries.ts";

/** A delivery as it stands, whether or not it has been worked off. */
export interface StoredDelivery extends Omit<Delivery, "payload"> {
  /** In the order in which they came. */
  number: number;
  state: DeliveryState;
  /** What came of it, or went wrong last. */
  outcome: string | null;
  attempts: number;
  /** How often the forge has sent it once more. */
  repeats: number;
  /** When it is tried again. */
  dueAt: string | null;
  finishedAt: string | null;
}

export interface DeliveryFilter {
  state?: DeliveryState | undefined;
  event?: string | undefined;
  repository?: string | undefined;
  /** Of an issue or pull request. */
  thread?: number | undefined;
  before?: number | undefined;
  limit: number;
}

/** Its number, or the id that the forge gave it. */
export type DeliveryKey = { number: number } | { deliveryId: string };

/** Deliveries, to look at and to have worked off once more. */
export interface DeliveryLog {
  /** The newest first. */
  list(filter: DeliveryFilter): Promise<StoredDelivery[]>;
  get(key: DeliveryKey): Promise<(StoredDelivery & { payload: Buffer }) | null>;
  /** Has what was worked off worked off once more, in its place among those of its thread; false: it waits already. */
  replay(number: number): Promise<boolean>;
  /** Which of these ids are known. */
  known(provider: string, deliveryIds: readonly string[]): Promise<Set<string>>;
  /** Repositories that deliveries came from, the latest first. */
  repositories(provider: string, limit: number): Promise<string[]>;
}

const Row = z
  .object({
    number: z.coerce.number().int(),
    provider: z.string(),
    delivery_id: z.string(),
    event: z.string(),
    action: z.string().nullable(),
    repository: z.string().nullable(),
    sender: z.string().nullable(),
    thread: z.string().nullable(),
    state: DeliveryState,
    outcome: z.string().nullable(),
    attempts: z.int(),
    repeats: z.int(),
    received_at: z.date(),
    due_at: z.date().nullable(),
    finished_at: z.date().nullable(),
  })
  .transform((row): StoredDelivery => ({
    number: row.number,
    provider: row.provider,
    deliveryId: row.delivery_id,
    event: row.event,
    action: row.action,
    repository: row.repository,
    sender: row.sender,
    thread: row.thread,
    state: row.state,
    outcome: row.outcome,
    attempts: row.attempts,
    repeats: row.repeats,
    receivedAt: row.received_at.toISOString(),
    dueAt: row.due_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  }));

const COLUMNS = sql`number, provider, delivery_id, event, action, repository, sender, thread, state, outcome, attempts,
  repeats, received_at, due_at, finished_at`;

export function createDeliveryLog({ db }: Pick<Database, "db">): DeliveryLog {
  return {
    async list({ limit, ...filter }) {
      const where = conditions(filter);
      const { rows } = await sql`select ${COLUMNS} from deliveries
        where ${where.length === 0 ? sql`true` : sql.join(where, sql` and `)}
        order by number desc limit ${limit}`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async get(key) {
      const which =
        "number" in key ? sql`number = ${key.number}` : sql`delivery_id = ${key.deliveryId}`;
      const { rows } = await sql`select ${COLUMNS}, payload from deliveries
        where ${which} order by number desc limit 1`.execute(db);
      const [row] = rows;
      if (row === undefined) return null;
      return { ...Row.parse(row), ...z.object({ payload: z.instanceof(Buffer) }).parse(row) };
    },
    async replay(number) {
      const { numAffectedRows } = await sql`update deliveries
        set state = 'waiting', attempts = 0, due_at = null, finished_at = null
        where number = ${number} and state <> 'waiting'`.execute(db);
      return numAffectedRows === 1n;
    },
    async known(provider, deliveryIds) {
      const { rows } = await sql`select delivery_id from deliveries
        where provider = ${provider} and delivery_id = any(${[...deliveryIds]})`.execute(db);
      return new Set(rows.map((row) => IdRow.parse(row).delivery_id));
    },
    async repositories(provider, limit) {
      const { rows } = await sql`select repository from deliveries
        where provider = ${provider} and repository is not null
        group by repository order by max(number) desc limit ${limit}`.execute(db);
      return rows.map((row) => RepositoryRow.parse(row).repository);
    },
  };
}

const IdRow = z.object({ delivery_id: z.string() });
const RepositoryRow = z.object({ repository: z.string() });

function conditions(filter: Omit<DeliveryFilter, "limit">): RawBuilder<unknown>[] {
  const { state, event, repository, thread, before } = filter;
  return [
    ...(state === undefined ? [] : [sql`state = ${state}`]),
    ...(event === undefined ? [] : [sql`event = ${event}`]),
    ...(repository === undefined ? [] : [sql`repository = ${repository}`]),
    ...(thread === undefined ? [] : [sql`thread like ${`%#${thread}`}`]),
    ...(before === undefined ? [] : [sql`number < ${before}`]),
  ];
}
