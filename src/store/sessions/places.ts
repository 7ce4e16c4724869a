import { sql } from "kysely";
import { z } from "zod";
import type { Repository } from "../../core/repository.ts";
import type { Database, Tx } from "../database.ts";
import { appendWithin, lockSessions } from "../log/events.ts";
import { inTransaction } from "../transaction.ts";

export interface Move {
  repositoryId: number;
  /** What the forge says that it was called before. */
  from: Repository | null;
  to: Repository;
  /** When the forge said so: what was made later under the old name is another repository's. */
  toldAt: string;
  at: Date;
}

/** Where repositories are, as they are renamed and given away; the forge knows them by their numbers. */
export interface PlaceStore {
  /** Lets everything follow that is known by the old name. Answers how many sessions that are; again: none. */
  move(move: Move): Promise<number>;
  /** What a repository is called now. */
  current(repository: { id: number; name: Repository }): Promise<Repository>;
}

const NameRow = z.object({ repository: z.string() });
const SessionRow = z.object({ id: z.string(), repository: z.string(), ended: z.boolean() });

export function createPlaceStore(database: Database): PlaceStore {
  return {
    move: (move) =>
      inTransaction(database, async (tx) => {
        const names = await namesBefore(tx, move);
        await rememberNames(tx, names, move);
        if (names.length === 0) return 0;
        // Before their sessions: locks are taken in that order.
        await moveOrchestrations(tx, names, move);
        const count = await moveSessions(tx, names, move);
        await moveBelongings(tx, names, move);
        await moveTokens(tx, names, move);
        return count;
      }),
    async current({ id, name }) {
      const { rows } = await sql`select repository from former_names
        where name = ${name} and repository_id = ${id}`.execute(database.db);
      const [row] = rows;
      return row === undefined ? name : NameRow.parse(row).repository;
    },
  };
}

async function namesBefore(tx: Tx, { repositoryId, from, to }: Move): Promise<string[]> {
  const { rows } = await sql`select distinct repository from thread_sessions
    where repository_id = ${repositoryId}
    union select repository from thread_plans where repository_id = ${repositoryId}`.execute(tx);
  const all = new Set(rows.map((row) => NameRow.parse(row).repository));
  if (from !== null) all.add(from);
  all.delete(to);
  return [...all];
}

/** The new name is nobody's old one any more. */
async function rememberNames(tx: Tx, names: string[], { repositoryId, to }: Move): Promise<void> {
  await sql`delete from former_names where name = ${to}`.execute(tx);
  await sql`update former_names set repository = ${to}
    where repository_id = ${repositoryId}`.execute(tx);
  for (const name of names)
    await sql`insert into former_names (name, repository, repository_id)
      values (${name}, ${to}, ${repositoryId})
      on conflict (name) do update set repository = excluded.repository, repository_id = excluded.repository_id`.execute(
      tx,
    );
}

/** Those that have not ended are told of it. */
async function moveSessions(tx: Tx, names: string[], { to, toldAt, at }: Move): Promise<number> {
  const { rows: found } = await sql`select id from sessions
    where repository = any(${names}) and created_at <= ${toldAt} order by id`.execute(tx);
  const ids = found.map((row) => z.object({ id: z.string() }).parse(row).id);
  await lockSessions(tx, ids);
  const { rows } = await sql`update sessions s set repository = ${to}
    from (select id, repository, completed_at from sessions where id = any(${ids}::uuid[])) before
    where s.id = before.id
    returning s.id, before.repository, before.completed_at is not null as ended`.execute(tx);
  const live = rows.map((row) => SessionRow.parse(row)).filter(({ ended }) => !ended);
  await appendWithin(
    tx,
    live.map(({ id, repository }) => ({
      sessionId: id,
      events: [{ at: at.toISOString(), kind: "repository.moved", body: { from: repository, to } }],
    })),
  );
  return rows.length;
}

/** Their pull request is opened at the end, where the repository is then. */
async function moveOrchestrations(tx: Tx, names: string[], { to, toldAt }: Move): Promise<void> {
  await sql`update orchestrations set repository = ${to},
      project = jsonb_set(project, '{repository}', to_jsonb(${to}::text))
    where repository = any(${names}) and created_at <= ${toldAt}`.execute(tx);
}

/** What belongs to a repository's number, and says its name only so that it can be asked for. */
const BY_NUMBER = [
  "day_reservations",
  "thread_sessions",
  "thread_plans",
  "label_runs",
  "review_gates",
  "reviews",
  "session_checks",
  "check_wakes",
] as const;

/** Branches, threads, and the keys of what was written. What is there under the new name already stays. */
async function moveBelongings(tx: Tx, names: string[], { repositoryId, to }: Move): Promise<void> {
  await sql`update branches b set repository = ${to} where b.repository = any(${names})
    and not exists (select 1 from branches n where n.repository = ${to} and n.branch = b.branch)`.execute(
    tx,
  );
  for (const table of BY_NUMBER)
    await sql`update ${sql.table(table)} set repository = ${to}
      where repository_id = ${repositoryId} and repository <> ${to}`.execute(tx);
  for (const name of names) {
    const key = sql`${`${to} `} || substr(w.key, ${name.length + 2}::integer)`;
    await sql`update forge_writes w set key = ${key} where starts_with(w.key, ${`${name} `})
      and not exists (select 1 from forge_writes n where n.key = ${key})`.execute(tx);
  }
}

/** Who may look at a repository's sessions still may; the old name may soon be another repository's. */
async function moveTokens(tx: Tx, names: string[], { to, toldAt }: Move): Promise<void> {
  for (const name of names)
    await sql`update api_tokens set repositories = array_replace(repositories, ${name}, ${to})
      where ${name} = any(repositories) and created_at <= ${toldAt}`.execute(tx);
}
