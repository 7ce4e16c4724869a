import { sql } from "kysely";
import { createBatch } from "../batch.ts";
import type { Database } from "../database.ts";

/** One webhook call from a forge; `payload` is the body as it came. */
export interface Delivery {
  provider: string;
  deliveryId: string;
  event: string;
  action: string | null;
  repository: string | null;
  sender: string | null;
  /** Deliveries of one thread are worked off in their order; null: in any order. */
  thread: string | null;
  payload: Buffer;
  receivedAt: string;
}

export interface DeliveryStore {
  /**
   * Stores durably; concurrent calls share commits. `false`: that delivery was here before, which is counted. One that had
   * failed is to be worked off anew then: `true`.
   */
  insert(delivery: Delivery): Promise<boolean>;
  /** Keeps what nothing is to be done about, with the reason. */
  record(delivery: Delivery, reason: string): Promise<void>;
  count(): Promise<number>;
}

const COLUMNS = 9;
/** Statements are prepared once a size, so batches are cut into few sizes. */
const SIZES = [32, 8, 1] as const;

export function createDeliveryStore(database: Database): DeliveryStore {
  const insert = createInsert(database);

  /** The forge has sent it once more; only what was given up is begun again. */
  async function repeat({ provider, deliveryId }: Delivery): Promise<boolean> {
    const { rows } =
      await sql`update deliveries set repeats = repeats + 1, state = 'waiting', attempts = 0,
        due_at = null, finished_at = null
      where provider = ${provider} and delivery_id = ${deliveryId} and state = 'failed'
      returning number`.execute(database.db);
    if (rows.length > 0) return true;
    await sql`update deliveries set repeats = repeats + 1
      where provider = ${provider} and delivery_id = ${deliveryId}`.execute(database.db);
    return false;
  }

  return {
    insert: async (delivery) => (await insert(delivery)) || (await repeat(delivery)),
    async record(d, reason) {
      await sql`insert into deliveries (provider, delivery_id, event, action, repository, sender, thread, payload,
          received_at, state, outcome, finished_at)
        values (${d.provider}, ${d.deliveryId}, ${d.event}, ${d.action}, ${d.repository}, ${d.sender}, ${d.thread},
          ${d.payload}, ${d.receivedAt}, 'ignored', ${reason}, ${d.receivedAt})
        on conflict (provider, delivery_id) do update set repeats = deliveries.repeats + 1`.execute(
        database.db,
      );
    },
    async count() {
      const { count } = await database.db
        .selectFrom("deliveries")
        .select((eb) => eb.fn.countAll<string>().as("count"))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}

function createInsert(database: Database): (delivery: Delivery) => Promise<boolean> {
  return createBatch<Delivery, boolean>({
    maxItems: SIZES[0],
    // One statement a batch: a batch that fails has stored nothing, so none of it can be taken for a repetition.
    sizes: SIZES,
    maxWaiting: 5_000,
    lanes: 2,
    async run(deliveries) {
      const rows = await database.prepared<{ provider: string; delivery_id: string }>(
        `insert-deliveries-${deliveries.length}`,
        insertText(deliveries.length),
        deliveries.flatMap(values),
      );
      const fresh = new Set(rows.map((row) => key(row.provider, row.delivery_id)));
      // The same delivery twice in one batch: the first takes the answer, the second finds it gone.
      return deliveries.map(({ provider, deliveryId }) => fresh.delete(key(provider, deliveryId)));
    },
  });
}

function insertText(size: number): string {
  const rows = Array.from(
    { length: size },
    (_, row) =>
      `(${Array.from({ length: COLUMNS }, (__, column) => `$${row * COLUMNS + column + 1}`).join(",")})`,
  );
  return `insert into deliveries
    (provider, delivery_id, event, action, repository, sender, thread, payload, received_at)
    values ${rows.join(",")} on conflict do nothing returning provider, delivery_id`;
}

function values(d: Delivery): unknown[] {
  return [
    d.provider,
    d.deliveryId,
    d.event,
    d.action,
    d.repository,
    d.sender,
    d.thread,
    d.payload,
    d.receivedAt,
  ];
}

function key(provider: string, deliveryId: string): string {
  return `${provider} ${deliveryId}`;
}
