import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";
import { claimRows, givenBack, isFree, releaseRows } from "../lease.ts";
import type { Lease } from "../lease.ts";
import { ThreadKind } from "./thread-sessions.ts";

/** The check of a session at one commit of its pull request. */
export interface SessionCheck {
  sessionId: Id;
  sha: string;
  repositoryId: number;
  repository: string;
  number: number;
  kind: ThreadKind;
  /** `closed`: it says how it ended, and is not looked at any more. */
  state: "open" | "closed";
  /** What it says, in short; null: nothing yet, there is no check. */
  shown: string | null;
  /** Whether it is at the newest commit that the session has a check at. */
  isNewest: boolean;
  failures: number;
  begunAt: Date;
}

export interface SessionCheckStore {
  /** There is to be one at this commit, and what was at others is to be closed. Again: nothing, while it is the newest. */
  begin(
    made: Pick<
      SessionCheck,
      "sessionId" | "sha" | "repositoryId" | "repository" | "number" | "kind"
    > & { at: Date },
  ): Promise<void>;
  /** At the newest commit. */
  of(sessionId: Id): Promise<SessionCheck | null>;
  /** Of one pull request, those that are open and at the newest commit of their session. */
  openOf(repositoryId: number, number: number): Promise<SessionCheck[]>;
  /** Open ones that no other hub looks after; they are this hub's for `leaseMs`. Those longest not looked at come first. */
  claimOpen(by: Lease & { limit: number; now: Date }): Promise<SessionCheck[]>;
  show(check: SessionCheck, shown: string): Promise<void>;
  close(check: SessionCheck, shown: string | null): Promise<void>;
  putOff(check: SessionCheck, until: Date): Promise<void>;
  release(executorId: string): Promise<void>;
}

const Row = z
  .object({
    session_id: z.string(),
    sha: z.string(),
    repository_id: z.coerce.number(),
    repository: z.string(),
    number: z.int(),
    kind: ThreadKind,
    state: z.enum(["open", "closed"]),
    shown: z.string().nullable(),
    is_newest: z.boolean(),
    failures: z.int(),
    begun_at: z.date(),
  })
  .transform((row): SessionCheck => ({
    sessionId: row.session_id,
    sha: row.sha,
    repositoryId: row.repository_id,
    repository: row.repository,
    number: row.number,
    kind: row.kind,
    state: row.state,
    shown: row.shown,
    isNewest: row.is_newest,
    failures: row.failures,
    begunAt: row.begun_at,
  }));

const IS_NEWEST = sql`not exists (select 1 from session_checks later
  where later.session_id = one.session_id and later.ordinal > one.ordinal)`;

export function createSessionCheckStore({ db }: Database): SessionCheckStore {
  /** What was decided of a check that has been begun anew since does not count. */
  const end = async ({ sessionId, sha, begunAt }: SessionCheck, shown: string | null) => {
    await sql`update session_checks
      set state = 'closed', shown = ${shown}, ${givenBack}
      where session_id = ${sessionId} and sha = ${sha} and begun_at = ${begunAt}`.execute(db);
  };
  return {
    async begin({ sessionId, sha, repositoryId, repository, number, kind, at }) {
      await sql`insert into session_checks as one
          (session_id, sha, repository_id, repository, number, kind, begun_at)
        values (${sessionId}, ${sha}, ${repositoryId}, ${repository}, ${number}, ${kind}, ${at})
        on conflict (session_id, sha) do update set state = 'open', shown = null, due_at = null,
          failures = 0, begun_at = excluded.begun_at,
          ordinal = nextval('session_checks_ordinal')
        where not (${IS_NEWEST})`.execute(db);
    },
    async of(sessionId) {
      const { rows } = await sql`select one.*, true as is_newest from session_checks one
        where session_id = ${sessionId} order by ordinal desc limit 1`.execute(db);
      return rows[0] === undefined ? null : Row.parse(rows[0]);
    },
    async openOf(repositoryId, number) {
      const { rows } = await sql`select one.*, true as is_newest from session_checks one
        where repository_id = ${repositoryId} and number = ${number} and state = 'open'
          and ${IS_NEWEST} order by ordinal`.execute(db);
      return rows.map((row) => Row.parse(row));
    },
    async claimOpen({ limit, now, ...lease }) {
      const due = sql`where state = 'open' and (due_at is null or due_at <= ${now})
          and ${isFree(lease.executorId)} order by claimed_until nulls first, ordinal`;
      const returning = sql`one.*, ${IS_NEWEST} as is_newest`;
      const what = { table: "session_checks", key: ["session_id", "sha"], due, limit, returning };
      return (await claimRows(db, what, lease)).map((row) => Row.parse(row));
    },
    async show({ sessionId, sha, begunAt }, shown) {
      await sql`update session_checks set shown = ${shown}, failures = 0, due_at = null
        where session_id = ${sessionId} and sha = ${sha} and begun_at = ${begunAt}`.execute(db);
    },
    close: end,
    async putOff({ sessionId, sha, begunAt }, until) {
      await sql`update session_checks set due_at = ${until}, failures = failures + 1
        where session_id = ${sessionId} and sha = ${sha} and begun_at = ${begunAt}`.execute(db);
    },
    release: (executorId) => releaseRows(db, "session_checks", executorId),
  };
}
