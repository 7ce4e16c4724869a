import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database, Tx } from "../database.ts";

// Any number that no other user of the database has; the same in every hub.
const ADMISSION_LOCK = 7_312_001;

const Row = z.object({ id: z.string() });

/** How many wait before a session, as far as it has to wait for them; null: it does not wait for a slot. */
export async function waitingBefore({ db }: Database, id: Id): Promise<number | null> {
  const { rows } = await sql`
    with waiting as (
      select id, row_number() over (partition by coordinates order by requested_at, id) - 1 as before from sessions
      where status = 'pending' and open_dependencies = 0 and requested_at is not null
    )
    select before from waiting where id = ${id}`.execute(db);
  const [row] = rows.map((one) => z.object({ before: z.coerce.number() }).parse(one));
  return row?.before ?? null;
}

/**
 * Chooses the sessions that get the free slots: the longest waiting first, of each repository no more than its limit.
 * Until the transaction ends nobody else chooses, so the limits hold over all hubs. Those that coordinate others wait for them:
 * they have slots of their own, or nobody might ever get on.
 */
export async function pickForAdmission(
  tx: Tx,
  limits: { total: number; perRepository: number; coordinating: number },
): Promise<Id[]> {
  await sql`select pg_advisory_xact_lock(${ADMISSION_LOCK})`.execute(tx);
  const { rows } = await sql`
    with active as (
      select repository, count(*) as held from sessions
      where admitted_at is not null and completed_at is null and not coordinates group by repository
    ),
    waiting as (
      select s.id, s.requested_at,
        coalesce(a.held, 0) + row_number() over (partition by s.repository order by s.requested_at, s.id) as place
      from sessions s left join active a on a.repository = s.repository
      where s.status = 'pending' and s.open_dependencies = 0 and not s.coordinates
    )
    (select id from waiting where place <= ${limits.perRepository} order by requested_at, id
      limit greatest(0, ${limits.total} - (select coalesce(sum(held), 0) from active)))
    union all
    (select id from sessions
      where status = 'pending' and open_dependencies = 0 and coordinates and completed_at is null
      order by requested_at, id
      limit greatest(0, ${limits.coordinating} - (select count(*) from sessions
        where admitted_at is not null and completed_at is null and coordinates)))`.execute(tx);
  return rows.map((row) => Row.parse(row).id);
}
