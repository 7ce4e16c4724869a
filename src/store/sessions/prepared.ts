import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database, Tx } from "../database.ts";

/** A session that nobody has started and that has a sandbox, or is getting one. */
export interface PreparedSession {
  id: Id;
  sandboxName: string;
  preparedAt: Date;
  hasSandbox: boolean;
}

export interface PreparedStore {
  /** Of one hub. */
  list(executorId: string): Promise<PreparedSession[]>;
  /** Sessions that could be prepared: nobody has started them and nothing is missing for it. The newest first. */
  candidates(options: { since: Date; limit: number }): Promise<Id[]>;
}

const Row = z.object({
  id: z.string(),
  sandbox_name: z.string(),
  prepared_at: z.date(),
  has_sandbox: z.boolean(),
});
const IdRow = z.object({ id: z.string() });

export function createPreparedStore({ db }: Database): PreparedStore {
  return {
    async list(executorId) {
      const { rows } =
        await sql`select id, sandbox_name, prepared_at, sandbox_created_at is not null as has_sandbox from sessions
        where executor_id = ${executorId} and prepared_at is not null and admitted_at is null and completed_at is null`.execute(
          db,
        );
      return rows.map((found) => {
        const row = Row.parse(found);
        return {
          id: row.id,
          sandboxName: row.sandbox_name,
          preparedAt: row.prepared_at,
          hasSandbox: row.has_sandbox,
        };
      });
    },
    async candidates({ since, limit }) {
      const { rows } = await sql`select id from sessions
        where requested_at is null and completed_at is null and open_dependencies = 0 and executor_id is null
          and continues_id is null and terms->>'fork' is null
          and created_at > ${since} order by id desc limit ${limit}`.execute(db);
      return rows.map((row) => IdRow.parse(row).id);
    },
  };
}

/** From now on no sandbox of the session is let in: those that there are must be gone before there is another. */
export async function forgetTokensWithin(tx: Tx, sessionId: Id): Promise<void> {
  await tx.deleteFrom("session_tokens").where("session_id", "=", sessionId).execute();
}
