import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { idsFrom } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import type { SessionStatus } from "../../core/session.ts";
import type { Db } from "../database.ts";
import { SESSION_COLUMNS, toSession } from "./session-row.ts";
import type { StoredSession } from "./session-row.ts";

export interface SessionFilter {
  status?: SessionStatus | undefined;
  repository?: string | undefined;
  repositories?: readonly string[] | undefined;
  orchestrationId?: Id | undefined;
  idPrefix?: string | undefined;
  dependsOn?: Id | undefined;
  /** Sessions older than this one. */
  before?: Id | undefined;
  limit: number;
}

/** Newest first. */
export async function listSessions(db: Db, filter: SessionFilter): Promise<StoredSession[]> {
  const { rows } = await listStatement(filter).execute(db);
  return rows.map(toSession);
}

/** Reads about as many rows as it answers, however many there are: each shape has its index. */
export function listStatement(filter: SessionFilter): RawBuilder<unknown> {
  const { repository, repositories, limit } = filter;
  const columns = sql.raw(SESSION_COLUMNS);
  if (repositories === undefined || repositories.length === 0 || repository !== undefined)
    return sql`select ${columns} from sessions s where ${conditions(filter)}
      order by s.id desc limit ${limit}`;
  // Of each repository by its index; by name, since the planner has to know how much each of them has.
  const { repositories: _, ...others } = filter;
  const each = repositories.map(
    (name) => sql`(select s.id from sessions s where ${conditions({ ...others, repository: name })}
      order by s.id desc limit ${limit})`,
  );
  return sql`select ${columns} from sessions s join (
      select one.id from (${sql.join(each, sql` union all `)}) one order by one.id desc limit ${limit}
    ) page on page.id = s.id order by s.id desc`;
}

function conditions(filter: SessionFilter): RawBuilder<unknown> {
  const { status, repository, repositories, orchestrationId, idPrefix, dependsOn, before } = filter;
  const ids = idPrefix === undefined ? null : idsFrom(idPrefix);
  return sql`true
    ${status === undefined ? sql`` : sql`and s.status = ${status}`}
    ${repository === undefined ? sql`` : sql`and s.repository = ${repository}`}
    ${repositories === undefined ? sql`` : sql`and s.repository = any(${repositories}::text[])`}
    ${orchestrationId === undefined ? sql`` : sql`and s.orchestration_id = ${orchestrationId}`}
    ${ids === null ? sql`` : sql`and s.id between ${ids.first} and ${ids.last}`}
    ${dependsOn === undefined ? sql`` : sql`and s.id in (select d.session_id from session_dependencies d where d.depends_on_id = ${dependsOn} and d.required)`}
    ${before === undefined ? sql`` : sql`and s.id < ${before}`}`;
}
