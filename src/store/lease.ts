import { sql } from "kysely";
import type { QueryExecutorProvider, RawBuilder } from "kysely";

/**
 * Rows that one hub at a time works on: `claimed_by` says which, `claimed_until` how long, by the database's clock. What a
 * hub does not give back is free when that time is over, or when the same hub is back and releases what it had.
 */
export interface Lease {
  executorId: string;
  leaseMs: number;
}

const until = (leaseMs: number) => sql`now() + make_interval(secs => ${leaseMs / 1_000})`;
const IS_OVER = sql`(claimed_until is null or claimed_until <= now())`;

/** A condition: no hub is at the row; where one is named, no other one. */
export function isFree(executorId?: string): RawBuilder<unknown> {
  return executorId === undefined ? IS_OVER : sql`(claimed_by = ${executorId} or ${IS_OVER})`;
}

/** Sets what makes a row somebody's. */
export function taken({ executorId, leaseMs }: Lease): RawBuilder<unknown> {
  return sql`claimed_by = ${executorId}, claimed_until = ${until(leaseMs)}`;
}

/** Sets what makes a row nobody's. */
export const givenBack = sql`claimed_by = null, claimed_until = null`;

/**
 * Claims rows that are free, at most `limit`; what others claim at this moment is passed over. `due` says which and in what
 * order, and has to ask for `isFree`. They are chosen once: in a list that `in` is given, PostgreSQL may choose again and
 * again, and lock others each time.
 */
export async function claimRows(
  db: QueryExecutorProvider,
  rows: {
    table: string;
    /** Columns by which a row is known. */
    key: readonly string[];
    due: RawBuilder<unknown>;
    limit: number;
    /** Set besides. */
    set?: RawBuilder<unknown>;
    /** What of them is answered, as columns of `one`. */
    returning?: RawBuilder<unknown>;
  },
  lease: Lease,
): Promise<unknown[]> {
  const { table, key, due, limit, set, returning = sql`one.*` } = rows;
  const keyOf = (of: string) => sql.join(key.map((column) => sql.ref(`${of}.${column}`)));
  const claimed = await sql`with due as materialized (
      select ${keyOf(table)} from ${sql.table(table)} ${due} limit ${limit} for update skip locked
    ) update ${sql.table(table)} one set ${taken(lease)}${set === undefined ? sql`` : sql`, ${set}`}
    from due where (${keyOf("one")}) = (${keyOf("due")}) returning ${returning}`.execute(db);
  return claimed.rows;
}

/** Whether the rows that `where` names, which were claimed, are still this hub's: then they are for `leaseMs` from now. */
export async function holdRows(
  db: QueryExecutorProvider,
  table: string,
  where: RawBuilder<unknown>,
  { executorId, leaseMs }: Lease,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`update ${sql.table(table)}
    set claimed_until = ${until(leaseMs)} where ${where} and claimed_by = ${executorId}`.execute(
    db,
  );
  return numAffectedRows > 0n;
}

/** Gives back what a hub had claimed that is gone. */
export async function releaseRows(
  db: QueryExecutorProvider,
  table: string,
  executorId: string,
): Promise<void> {
  await sql`update ${sql.table(table)} set ${givenBack} where claimed_by = ${executorId}`.execute(
    db,
  );
}
