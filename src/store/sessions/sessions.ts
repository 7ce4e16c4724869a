import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Branch } from "../../core/repository.ts";
import type { NewSession } from "../../core/session.ts";
import type { SessionTerms } from "../../core/session-terms.ts";
import { createBatch } from "../batch.ts";
import type { Database, Db, Tx } from "../database.ts";
import { listSessions } from "./session-list.ts";
import type { SessionFilter } from "./session-list.ts";
import { SESSION_COLUMNS, toSession } from "./session-row.ts";
import type { StoredSession } from "./session-row.ts";

export interface SessionInsert {
  id: Id;
  session: NewSession;
  sandboxName: string;
  orchestrationId: Id | null;
  /** A branch of the repository that it works on and pushes, in place of one of its own. */
  onto?: Branch | null;
  /** Null: the usual ones. */
  terms?: SessionTerms | null;
  createdAt: string;
}

export interface SessionStore {
  /** Inserts a session without dependencies, with its log and `session.created`; concurrent calls share commits. */
  insert(insert: SessionInsert): Promise<true>;
  get(id: Id): Promise<StoredSession | null>;
  /** Newest first. */
  list(filter: SessionFilter): Promise<StoredSession[]>;
}

// Sessions, their logs and their first events in one statement, so that none exists without the others.
const INSERT = `
with input as (
  select * from json_to_recordset($1::json) as x(
    id uuid, type text, repository text, branch text, requirements text, context text, metadata jsonb, options jsonb,
    orchestration_id uuid, continues_id uuid, onto_branch text, terms jsonb, sandbox_name text, created_at timestamptz, event jsonb)
),
made as (
  insert into sessions (id, type, status, repository, branch, requirements, context, metadata, options,
    orchestration_id, continues_id, onto_branch, terms, coordinates, sandbox_name, created_at)
  select id, type, 'initializing', repository, branch, requirements, context, metadata, options,
    orchestration_id, continues_id, onto_branch, terms, coalesce(terms->>'toolset' = 'coordination', false), sandbox_name,
    created_at from input
),
logged as (
  insert into events (session_id, seq, at, kind, body) select id, 1, created_at, 'session.created', event from input
)
insert into session_logs (session_id, last_seq) select id, 1 from input`;

export function createSessionStore(database: Database): SessionStore {
  const { db } = database;
  return {
    insert: createBatch<SessionInsert, true>({
      maxItems: 100,
      maxWaiting: 10_000,
      async run(inserts) {
        await database.prepared("insert-sessions", INSERT, [insertParameter(inserts)]);
        return inserts.map(() => true as const);
      },
    }),
    get: createBatch<Id, StoredSession | null>({
      maxItems: 100,
      maxWaiting: 10_000,
      lanes: 2,
      async run(ids) {
        const text = `select ${SESSION_COLUMNS} from sessions s where s.id = any($1::uuid[])`;
        const rows = await database.prepared("get-sessions", text, [ids]);
        const found = new Map(rows.map(toSession).map((session) => [session.id, session]));
        return ids.map((id) => found.get(id) ?? null);
      },
    }),
    list: (filter) => listSessions(db, filter),
  };
}

/** Inserts inside a transaction: the sessions, and what they depend on. The caller has locked what they depend on. */
export async function insertWithin(
  tx: Tx,
  inserts: {
    insert: SessionInsert;
    /** How many have not ended, `waitsFor` included. */
    openDependencies: number;
    /** What has to have ended before, whichever way. */
    waitsFor?: Id[];
    /** Attempts at the same task, of which the best one will have to have completed. */
    undecided?: Id[];
  }[],
): Promise<void> {
  const parameter = insertParameter(inserts.map(({ insert }) => insert));
  const [head = "", tail = ""] = INSERT.split("$1");
  await sql`${sql.raw(head)}${parameter}${sql.raw(tail)}`.execute(tx);
  for (const { insert, openDependencies, waitsFor = [], undecided = [] } of inserts) {
    const { dependencies } = insert.session;
    const rows = [...dependencies, ...waitsFor, ...undecided].map((dependsOnId, position) => ({
      session_id: insert.id,
      depends_on_id: dependsOnId,
      position,
      required: position < dependencies.length,
      undecided: position >= dependencies.length + waitsFor.length,
    }));
    if (rows.length > 0) await tx.insertInto("session_dependencies").values(rows).execute();
    if (openDependencies > 0)
      await tx
        .updateTable("sessions")
        .set({ open_dependencies: openDependencies })
        .where("id", "=", insert.id)
        .execute();
  }
}

/** Reads sessions inside a transaction, in the order of ids. */
export async function readWithin(tx: Tx | Db, ids: Id[]): Promise<StoredSession[]> {
  const { rows } = await sql`select ${sql.raw(SESSION_COLUMNS)} from sessions s
    where s.id = any(${ids}::uuid[]) order by s.id`.execute(tx);
  return rows.map(toSession);
}

const IdRow = z.object({ id: z.string() });

/** The session that goes on with this one's conversation. */
export async function continuationOf(tx: Tx | Db, id: Id): Promise<Id | null> {
  const row = await tx
    .selectFrom("sessions")
    .select("id")
    .where("continues_id", "=", id)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** The last of those that go on with this one's conversation, one after the other; itself: none does. Null: unknown. */
export async function latestOf(tx: Tx | Db, id: Id): Promise<Id | null> {
  const { rows } = await sql`with recursive onward(id) as (
      select id from sessions where id = ${id}
      union all select s.id from sessions s join onward on s.continues_id = onward.id
    ) select id from onward o
      where not exists (select 1 from sessions s where s.continues_id = o.id)`.execute(tx);
  const [last] = rows.map((row) => IdRow.parse(row).id);
  return last ?? null;
}

/** What depends on a session directly. */
export async function childrenOf(tx: Tx | Db, id: Id): Promise<Id[]> {
  const rows = await tx
    .selectFrom("session_dependencies")
    .select("session_id")
    .where("depends_on_id", "=", id)
    .orderBy("session_id")
    .execute();
  return rows.map(({ session_id }) => session_id);
}

/** What waits for the end of any of these sessions, once for each that it waits for. */
export async function waitingFor(tx: Tx | Db, ids: Id[]): Promise<Id[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .selectFrom("session_dependencies")
    .select("session_id")
    .where("depends_on_id", "in", ids)
    .where("required", "=", false)
    .orderBy("session_id")
    .execute();
  return rows.map(({ session_id }) => session_id);
}

/** What a session waits for the end of, whichever way it ends. */
export async function waitedFor(tx: Tx | Db, id: Id): Promise<Id[]> {
  const rows = await tx
    .selectFrom("session_dependencies")
    .select("depends_on_id")
    .where("session_id", "=", id)
    .where("required", "=", false)
    .orderBy("position")
    .execute();
  return rows.map(({ depends_on_id }) => depends_on_id);
}

/** Sessions of an orchestration that have not ended, oldest first. */
export async function unfinishedOf(tx: Tx | Db, orchestrationId: Id): Promise<Id[]> {
  const rows = await tx
    .selectFrom("sessions")
    .select("id")
    .where("orchestration_id", "=", orchestrationId)
    .where("completed_at", "is", null)
    .orderBy("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** Everything that depends on a session, directly or through others; not what only waits for its end. */
export async function descendantsOf(tx: Tx | Db, id: Id): Promise<Id[]> {
  const { rows } = await sql`with recursive below(id) as (
      select session_id from session_dependencies where depends_on_id = ${id} and required
      union select d.session_id from session_dependencies d join below on d.depends_on_id = below.id where d.required
    ) select id from below order by id`.execute(tx);
  return rows.map((row) => IdRow.parse(row).id);
}

function insertParameter(inserts: SessionInsert[]): string {
  return JSON.stringify(
    inserts.map(({ id, session, sandboxName, orchestrationId, onto, terms, createdAt }) => ({
      id,
      type: session.type,
      repository: session.project.repository,
      branch: session.project.branch ?? null,
      requirements: session.project.requirements,
      context: session.project.context ?? null,
      metadata: session.metadata ?? {},
      options: session.options ?? {},
      orchestration_id: orchestrationId,
      continues_id: session.continues ?? null,
      onto_branch: onto ?? null,
      terms: terms ?? null,
      sandbox_name: sandboxName,
      created_at: createdAt,
      event: { type: session.type, repository: session.project.repository },
    })),
  );
}
