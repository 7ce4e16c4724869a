import { sql } from "kysely";
import { z } from "zod";
import type { Database } from "../database.ts";
import { claimRows, givenBack, isFree, releaseRows } from "../lease.ts";
import type { Lease } from "../lease.ts";

/** A commit whose checks are to be looked at when they have been at rest for a while. */
export interface CheckWake {
  repositoryId: number;
  repository: string;
  sha: string;
  dueAt: Date;
  createdAt: Date;
  /** How often it could not be looked at. */
  failures: number;
}

/** What was tried to mend the checks of one pull request since a person has pushed to it. */
export interface Repair {
  attempts: number;
  /** The commit that the last attempt began with. */
  sha: string | null;
  /** Of the failures that were to be mended. */
  fingerprints: string[];
  /** What that person has pushed. */
  resetSha: string | null;
  /** It was said that nothing more is tried. */
  gaveUp: boolean;
}

export interface RepairStore {
  /** Again: it is due when the last one says. */
  wake(wake: Omit<CheckWake, "createdAt" | "failures"> & { at: Date }): Promise<void>;
  /** Those that are due, each for one hub at a time. */
  claim(by: Lease & { limit: number; now: Date }): Promise<CheckWake[]>;
  /** Nothing when it was woken again meanwhile: then it is looked at again. */
  done(wake: CheckWake): Promise<void>;
  postpone(wake: CheckWake, to: { dueAt: Date; hasFailed: boolean }): Promise<void>;
  /** Gives back what a hub had claimed that is gone. */
  release(executorId: string): Promise<void>;
  of(repositoryId: number, number: number): Promise<Repair>;
  /** Counts an attempt, once for a commit. */
  attempt(made: {
    repositoryId: number;
    number: number;
    sha: string;
    fingerprint: string;
  }): Promise<void>;
  giveUp(repositoryId: number, number: number): Promise<void>;
  /** A person has pushed this commit: whatever was tried is over. */
  reset(repositoryId: number, number: number, sha: string): Promise<void>;
}

const WakeRow = z
  .object({
    repository_id: z.coerce.number(),
    repository: z.string(),
    sha: z.string(),
    due_at: z.date(),
    created_at: z.date(),
    failures: z.int(),
  })
  .transform((row): CheckWake => ({
    repositoryId: row.repository_id,
    repository: row.repository,
    sha: row.sha,
    dueAt: row.due_at,
    createdAt: row.created_at,
    failures: row.failures,
  }));

const RepairRow = z
  .object({
    attempts: z.int(),
    sha: z.string().nullable(),
    fingerprints: z.array(z.string()),
    reset_sha: z.string().nullable(),
    gave_up: z.boolean(),
  })
  .transform(({ reset_sha: resetSha, gave_up: gaveUp, ...row }): Repair => ({
    ...row,
    resetSha,
    gaveUp,
  }));

const NONE: Repair = { attempts: 0, sha: null, fingerprints: [], resetSha: null, gaveUp: false };

export function createRepairStore({ db }: Database): RepairStore {
  return {
    async wake({ repositoryId, repository, sha, dueAt, at }) {
      await sql`insert into check_wakes (repository_id, sha, repository, due_at, created_at)
        values (${repositoryId}, ${sha}, ${repository}, ${dueAt}, ${at})
        on conflict (repository_id, sha) do update
          set due_at = excluded.due_at, repository = excluded.repository, failures = 0`.execute(db);
    },
    async claim({ limit, now, ...lease }) {
      const due = sql`where due_at <= ${now} and ${isFree()} order by due_at`;
      const what = { table: "check_wakes", key: ["repository_id", "sha"], due, limit };
      return (await claimRows(db, what, lease)).map((row) => WakeRow.parse(row));
    },
    async done({ repositoryId, sha, dueAt }) {
      await sql`delete from check_wakes
        where repository_id = ${repositoryId} and sha = ${sha} and due_at = ${dueAt}`.execute(db);
      await sql`update check_wakes set ${givenBack}
        where repository_id = ${repositoryId} and sha = ${sha}`.execute(db);
    },
    async postpone({ repositoryId, sha, dueAt: wasDueAt }, { dueAt, hasFailed }) {
      // Woken again meanwhile, it is due when that says.
      await sql`update check_wakes set ${givenBack},
          due_at = case when due_at = ${wasDueAt} then ${dueAt} else due_at end,
          failures = failures + ${hasFailed ? 1 : 0}
        where repository_id = ${repositoryId} and sha = ${sha}`.execute(db);
    },
    release: (executorId) => releaseRows(db, "check_wakes", executorId),
    async of(repositoryId, number) {
      const { rows } = await sql`select attempts, sha, fingerprints, reset_sha, gave_up from repairs
        where repository_id = ${repositoryId} and number = ${number}`.execute(db);
      return rows[0] === undefined ? NONE : RepairRow.parse(rows[0]);
    },
    async attempt({ repositoryId, number, sha, fingerprint }) {
      const fingerprints = JSON.stringify([fingerprint]);
      await sql`insert into repairs (repository_id, number, attempts, sha, fingerprints)
        values (${repositoryId}, ${number}, 1, ${sha}, ${fingerprints}::jsonb)
        on conflict (repository_id, number) do update
          set attempts = repairs.attempts + 1, sha = excluded.sha,
            fingerprints = repairs.fingerprints || excluded.fingerprints
          where repairs.sha is distinct from excluded.sha`.execute(db);
    },
    async giveUp(repositoryId, number) {
      await sql`update repairs set gave_up = true
        where repository_id = ${repositoryId} and number = ${number}`.execute(db);
    },
    async reset(repositoryId, number, sha) {
      await sql`update repairs set attempts = 0, sha = null, fingerprints = '[]', reset_sha = ${sha},
          gave_up = false
        where repository_id = ${repositoryId} and number = ${number}
          and reset_sha is distinct from ${sha}`.execute(db);
    },
  };
}
