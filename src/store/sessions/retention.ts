import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";
import { inTransaction } from "../transaction.ts";

const BATCH = 500;
const IdRow = z.object({ id: z.string() });

/** Deletes what is no longer to be kept. */
export interface RetentionStore {
  /**
   * Deletes some sessions that ended before `cutoff`, with their logs and results; not those that something
   * unfinished depends on, nor those by which an orchestration will be judged that runs. Answers their ids; none: there are no more.
   */
  deleteSessions(cutoff: Date): Promise<Id[]>;
  /** Deletes some deliveries that have been worked off; answers how many. */
  deleteDeliveries(cutoff: Date): Promise<number>;
  /**
   * Deletes some of what is known of writes on the forge that were begun before `cutoff`; not what is done once for ever.
   * Answers how many.
   */
  deleteWrites(cutoff: Date): Promise<number>;
  /**
   * Deletes some of what sessions that are no more were asked for on the forge, and found, and of the tokens that are
   * good for nothing any more; answers how many.
   */
  deleteTraces(cutoff: Date): Promise<number>;
}

export function createRetentionStore(database: Database): RetentionStore {
  return {
    async deleteSessions(cutoff) {
      return await inTransaction(database, async (tx) => {
        const { rows } = await sql`delete from sessions where id in (
            select s.id from sessions s where s.completed_at < ${cutoff} and not exists (
              select 1 from session_dependencies d join sessions c on c.id = d.session_id
              where d.depends_on_id = s.id and c.completed_at is null
            ) and not exists (
              select 1 from orchestrations o where o.id = s.orchestration_id and o.state = 'running'
            ) order by s.completed_at limit ${BATCH}
          ) returning id`.execute(tx);
        const ids = rows.map((row) => IdRow.parse(row).id);
        await sql`delete from events where session_id = any(${ids}::uuid[])`.execute(tx);
        return ids;
      });
    },
    async deleteDeliveries(cutoff) {
      const { numAffectedRows } =
        await sql`delete from deliveries where (provider, delivery_id) in (
          select provider, delivery_id from deliveries where received_at < ${cutoff} and state <> 'waiting' limit ${BATCH}
        )`.execute(database.db);
      return Number(numAffectedRows ?? 0);
    },
    async deleteWrites(cutoff) {
      const { numAffectedRows } = await sql`delete from forge_writes where key in (
          select key from forge_writes
          where begun_at < ${cutoff} and remote_id is distinct from 0 limit ${BATCH}
        )`.execute(database.db);
      return Number(numAffectedRows ?? 0);
    },
    async deleteTraces(cutoff) {
      let count = 0;
      for (const statement of [
        sql`delete from thread_sessions where session_id in (
          select t.session_id from thread_sessions t
          where t.created_at < ${cutoff} and t.state = 'told'
            and not exists (select 1 from sessions s where s.id = t.session_id) limit ${BATCH})`,
        sql`delete from thread_plans where orchestration_id in (
          select p.orchestration_id from thread_plans p
          where p.created_at < ${cutoff} and p.state = 'told'
            and not exists (select 1 from orchestrations o where o.id = p.orchestration_id) limit ${BATCH})`,
        sql`delete from reviews where session_id in (
          select r.session_id from reviews r
          where r.created_at < ${cutoff} and r.state <> 'open'
            and not exists (select 1 from sessions s where s.id = r.session_id) limit ${BATCH})`,
        sql`delete from session_checks where (session_id, sha) in (
          select c.session_id, c.sha from session_checks c
          where c.begun_at < ${cutoff} and c.state = 'closed'
            and not exists (select 1 from sessions s where s.id = c.session_id) limit ${BATCH})`,
        sql`delete from orchestrations where id in (
          select o.id from orchestrations o
          where o.ended_at < ${cutoff}
            and not exists (select 1 from sessions s where s.orchestration_id = o.id) limit ${BATCH})`,
        // A commit that old is pushed again by nobody who would be surprised by a second review.
        sql`delete from review_gates where (repository_id, number, sha) in (
          select repository_id, number, sha from review_gates
          where armed_at < ${cutoff} and due_at is null limit ${BATCH})`,
        sql`delete from api_tokens where id in (
          select id from api_tokens where least(revoked_at, expires_at) < ${cutoff} limit ${BATCH})`,
      ])
        count += Number((await statement.execute(database.db)).numAffectedRows ?? 0);
      return count;
    },
  };
}
