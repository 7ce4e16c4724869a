import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { SessionStatus } from "../../core/session.ts";
import type { Database } from "../database.ts";

/** What came of a session that another one comes after. */
export interface ResultBefore {
  sessionId: Id;
  /** Of its task in a plan; null: it is in none. */
  title: string | null;
  requirements: string;
  status: SessionStatus;
  error: string | null;
  summary: string;
  /** Of a session that answers by a schema. */
  answer: unknown;
  workBranch: string | null;
}

/** What a session finds that comes after others: all that it depends on or waits for, but for the one that it continues. */
export interface BeforeStore {
  results(id: Id): Promise<ResultBefore[]>;
  /**
   * Branches that sessions before it have pushed and that are to be built on, the oldest session's first: the nearest ones,
   * looking back through those that have failed or have pushed nothing.
   */
  branches(id: Id): Promise<string[]>;
}

const ResultRow = z
  .object({
    id: z.string(),
    title: z.string().nullable(),
    requirements: z.string(),
    status: SessionStatus,
    error: z.string().nullable(),
    summary: z.string().nullable(),
    answer: z.unknown(),
    work_branch: z.string().nullable(),
  })
  .transform((row): ResultBefore => ({
    sessionId: row.id,
    title: row.title,
    requirements: row.requirements,
    status: row.status,
    error: row.error,
    summary: row.summary ?? "",
    answer: row.answer ?? null,
    workBranch: row.work_branch,
  }));
const BranchRow = z.object({ branch: z.string() });

export function createBeforeStore(database: Database): BeforeStore {
  return {
    async results(id) {
      const rows = await database.prepared(
        "results-before",
        `select s.id, t.title, s.requirements, s.status, s.error, s.work_branch, r.summary, r.answer
         from sessions me join session_dependencies d on d.session_id = me.id
         join sessions s on s.id = d.depends_on_id
         left join orchestration_tasks t on t.session_id = s.id
         left join results r on r.session_id = s.id
         where me.id = $1 and s.id is distinct from me.continues_id
         order by s.id limit $2`,
        [id, LIMITS.dependencies],
      );
      return rows.map((row) => ResultRow.parse(row));
    },
    async branches(id) {
      const { rows } = await sql`with recursive back(id) as (
          select d.depends_on_id from sessions me join session_dependencies d on d.session_id = me.id
          where me.id = ${id} and d.depends_on_id is distinct from me.continues_id
          union
          select d.depends_on_id from back join sessions s on s.id = back.id
          join session_dependencies d on d.session_id = s.id
          where d.depends_on_id is distinct from s.continues_id and not (
            s.status = 'completed' and exists (select 1 from branches b where b.session_id = s.id))
        )
        select b.branch from back join sessions s on s.id = back.id
        join branches b on b.session_id = s.id join sessions me on me.id = ${id}
        where s.status = 'completed' and b.repository = me.repository
        order by b.session_id, b.branch`.execute(database.db);
      return rows.map((row) => BranchRow.parse(row).branch);
    },
  };
}
