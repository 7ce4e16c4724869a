import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";
import { claimRows, holdRows, isFree, releaseRows } from "../lease.ts";
import type { Lease } from "../lease.ts";
import { Source } from "./asked.ts";
import { inTransaction } from "../transaction.ts";

/** Labels for one issue or pull request, from the moment that they are wanted until they stand there, or do not. */
export interface LabelRun {
  /** Also of the session that chooses. */
  sessionId: Id;
  /** Known from the forge: one cause makes one run. */
  cause: string;
  repositoryId: number;
  repository: string;
  number: number;
  /** Where somebody has asked for it; null: nobody has, the issue is new. */
  source: Source | null;
  /** `waiting`: no session chooses yet. `asked`: one does. */
  state: "waiting" | "asked" | "done";
  /** What came of it, in one sentence; or what went wrong last. */
  outcome: string | null;
  /** Failures so far. */
  attempts: number;
  createdAt: string;
}

export interface LabelRunStore {
  /**
   * Makes the run of a cause. `known`: there is one already. `over`: it would be more than `most` in this repository since
   * `since`, of those that nobody has asked for.
   */
  begin(
    made: Pick<
      LabelRun,
      "sessionId" | "cause" | "repositoryId" | "repository" | "number" | "source"
    >,
    more: { at: Date; bound: { since: Date; most: number } | null },
  ): Promise<"begun" | "known" | "over">;
  ofCause(cause: string): Promise<LabelRun | null>;
  /** Those that nobody has asked for. */
  countSince(repositoryId: number, since: Date): Promise<number>;
  /**
   * Unfinished ones that are due, and that no other hub is at; they are this hub's for `leaseMs`. Of those that wait one of
   * each repository, and none while the session of another one chooses there: a flood of issues takes one slot, and keeps
   * back no other repository.
   */
  claim(by: Lease & { limit: number; now: Date }): Promise<LabelRun[]>;
  /** Whether it is still this hub's, for `leaseMs` from now. */
  hold(sessionId: Id, lease: Lease): Promise<boolean>;
  asked(sessionId: Id): Promise<void>;
  putOff(sessionId: Id, more: { outcome: string; dueAt: Date }): Promise<void>;
  done(sessionId: Id, outcome: string, at: Date): Promise<void>;
  /** Gives back what a hub had claimed that is gone. */
  release(executorId: string): Promise<void>;
}

const Row = z
  .object({
    session_id: z.string(),
    cause: z.string(),
    repository_id: z.coerce.number(),
    repository: z.string(),
    number: z.int(),
    source: Source.nullable(),
    state: z.enum(["waiting", "asked", "done"]),
    outcome: z.string().nullable(),
    attempts: z.int(),
    created_at: z.date(),
  })
  .transform((row): LabelRun => ({
    sessionId: row.session_id,
    cause: row.cause,
    repositoryId: row.repository_id,
    repository: row.repository,
    number: row.number,
    source: row.source,
    state: row.state,
    outcome: row.outcome,
    attempts: row.attempts,
    createdAt: row.created_at.toISOString(),
  }));
/** People who wait go before issues that nobody waits for. */
const nextOnes = (now: Date) => sql`select distinct on (repository_id) session_id from label_runs w
  where state = 'waiting' and due_at <= ${now} and not exists (
    select 1 from label_runs a where a.repository_id = w.repository_id and a.state = 'asked')
  order by repository_id, source is null, created_at`;
const CountRow = z.object({ count: z.coerce.number() });

export function createLabelRunStore(database: Database): LabelRunStore {
  const { db } = database;
  return {
    begin: (made, more) => begin(database, made, more),
    async ofCause(cause) {
      const row = await db
        .selectFrom("label_runs")
        .selectAll()
        .where("cause", "=", cause)
        .executeTakeFirst();
      return row === undefined ? null : Row.parse(row);
    },
    countSince: (repositoryId, since) => count(db, repositoryId, since),
    async claim({ limit, now, ...lease }) {
      const due = sql`where due_at <= ${now}
          and (state = 'asked' or (state = 'waiting' and session_id in (${nextOnes(now)})))
          and ${isFree(lease.executorId)} order by state, created_at`;
      const what = { table: "label_runs", key: ["session_id"], due, limit };
      return (await claimRows(db, what, lease)).map((row) => Row.parse(row));
    },
    hold: (id, lease) => holdRows(db, "label_runs", sql`session_id = ${id}`, lease),
    async asked(sessionId) {
      await db
        .updateTable("label_runs")
        .set({ state: "asked" })
        .where("session_id", "=", sessionId)
        .where("state", "=", "waiting")
        .execute();
    },
    async putOff(sessionId, { outcome, dueAt }) {
      await sql`update label_runs set attempts = attempts + 1, outcome = ${outcome}, due_at = ${dueAt}
        where session_id = ${sessionId}`.execute(db);
    },
    async done(sessionId, outcome, at) {
      await db
        .updateTable("label_runs")
        .set({ state: "done", outcome, claimed_by: null, claimed_until: null, finished_at: at })
        .where("session_id", "=", sessionId)
        .execute();
    },
    release: (executorId) => releaseRows(db, "label_runs", executorId),
  };
}

/** One after the other within a repository, so that a flood does not slip past the bound side by side. */
async function begin(
  database: Database,
  { repositoryId, ...made }: Parameters<LabelRunStore["begin"]>[0],
  { at, bound }: Parameters<LabelRunStore["begin"]>[1],
): Promise<"begun" | "known" | "over"> {
  return await inTransaction(database, async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`label_runs ${repositoryId}`}, 0))`.execute(
      tx,
    );
    const known = await tx
      .selectFrom("label_runs")
      .select("session_id")
      .where("cause", "=", made.cause)
      .executeTakeFirst();
    if (known !== undefined) return "known";
    if (bound !== null && (await count(tx, repositoryId, bound.since)) >= bound.most) return "over";
    await tx
      .insertInto("label_runs")
      .values({
        session_id: made.sessionId,
        cause: made.cause,
        repository_id: repositoryId,
        repository: made.repository,
        number: made.number,
        source: made.source === null ? null : JSON.stringify(made.source),
        due_at: at,
        created_at: at,
      })
      .execute();
    return "begun";
  });
}

async function count(
  db: Parameters<ReturnType<typeof sql>["execute"]>[0],
  repositoryId: number,
  since: Date,
): Promise<number> {
  const { rows } = await sql`select count(*) as count from label_runs
    where repository_id = ${repositoryId} and source is null and created_at > ${since}`.execute(db);
  return CountRow.parse(rows[0]).count;
}
