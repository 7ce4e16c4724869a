import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";
import { claimRows, givenBack, isFree, releaseRows } from "../lease.ts";
import type { Lease } from "../lease.ts";
import { isAt } from "./asked.ts";
import type { Places } from "./asked.ts";

export const GateState = z.enum([
  "armed",
  "waiting",
  "ready",
  "reviewing",
  "done",
  "skipped",
  "superseded",
]);
export type GateState = z.infer<typeof GateState>;

export interface GatePlace {
  repositoryId: number;
  number: number;
  sha: string;
}

/** Whether, and when, a commit of a pull request is reviewed; `triggers/review/gate` says how it goes from state to state. */
export interface ReviewGate extends GatePlace {
  repository: string;
  state: GateState;
  reason: string | null;
  /** Of the session that reviews, or has reviewed. */
  sessionId: Id | null;
  armedAt: Date;
  readyAt: Date | null;
  dueAt: Date | null;
  /** How often it was woken; `looked`: how often it had been at the last look. */
  wakes: number;
  looked: number;
  failures: number;
}

export interface ReviewGateStore {
  /** Makes one, or wakes it, or arms it once more if it has ended without a review. */
  arm(gate: GatePlace & { repository: string; at: Date }): Promise<void>;
  /** Has those of a commit looked at. Answers how many. */
  wake(repositoryId: number, sha: string, at: Date): Promise<number>;
  /** Whether there is one of a commit, whatever has become of it. */
  knows(repositoryId: number, sha: string): Promise<boolean>;
  /** Of a pull request, those that have not ended. */
  live(repositoryId: number, number: number): Promise<ReviewGate[]>;
  /** Of repositories. */
  liveIn(places: Places, limit: number): Promise<ReviewGate[]>;
  end(place: GatePlace, to: { state: "skipped" | "superseded"; reason: string }): Promise<void>;
  /** Those whose time has come; they are this hub's for `leaseMs`. */
  claimDue(by: Lease & { limit: number; now: Date }): Promise<ReviewGate[]>;
  /**
   * What a look has made of it. Whoever woke it meanwhile has it looked at again at once. Answers false when it has ended
   * meanwhile, and stays so.
   */
  save(
    gate: ReviewGate,
    step: Pick<ReviewGate, "state" | "reason" | "sessionId" | "readyAt" | "dueAt" | "failures">,
    by: { executorId: string; now: Date },
  ): Promise<boolean>;
  /** Gives back what a hub had claimed that is gone. */
  release(executorId: string): Promise<void>;
}

const LIVE = ["armed", "waiting", "ready", "reviewing"] as const;

const Row = z
  .object({
    repository_id: z.coerce.number(),
    number: z.int(),
    sha: z.string(),
    repository: z.string(),
    state: GateState,
    reason: z.string().nullable(),
    session_id: z.string().nullable(),
    armed_at: z.date(),
    ready_at: z.date().nullable(),
    due_at: z.date().nullable(),
    wakes: z.int(),
    looked: z.int(),
    failures: z.int(),
  })
  .transform((row): ReviewGate => ({
    repositoryId: row.repository_id,
    number: row.number,
    sha: row.sha,
    repository: row.repository,
    state: row.state,
    reason: row.reason,
    sessionId: row.session_id,
    armedAt: row.armed_at,
    readyAt: row.ready_at,
    dueAt: row.due_at,
    wakes: row.wakes,
    looked: row.looked,
    failures: row.failures,
  }));

export function createReviewGateStore({ db }: Database): ReviewGateStore {
  return {
    async arm({ repositoryId, repository, number, sha, at }) {
      await sql`insert into review_gates
          (repository_id, number, sha, repository, state, armed_at, due_at)
        values (${repositoryId}, ${number}, ${sha}, ${repository}, 'armed', ${at}, ${at})
        on conflict (repository_id, number, sha) do update
        set wakes = review_gates.wakes + 1, due_at = excluded.due_at, failures = 0,
          state = case when review_gates.state in ('skipped', 'superseded') then 'armed' else review_gates.state end,
          armed_at = case when review_gates.state in ('skipped', 'superseded') then excluded.armed_at else review_gates.armed_at end,
          session_id = null, reason = null
        where review_gates.state in ('armed', 'waiting', 'ready', 'skipped', 'superseded')`.execute(
        db,
      );
    },
    async wake(repositoryId, sha, at) {
      const { numAffectedRows } = await sql`update review_gates
        set wakes = wakes + 1, due_at = ${at}
        where repository_id = ${repositoryId} and sha = ${sha}
          and state in ('armed', 'waiting', 'ready')`.execute(db);
      return Number(numAffectedRows ?? 0);
    },
    async knows(repositoryId, sha) {
      const row = await db
        .selectFrom("review_gates")
        .select("number")
        .where("repository_id", "=", repositoryId)
        .where("sha", "=", sha)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },
    async live(repositoryId, number) {
      const rows = await db
        .selectFrom("review_gates")
        .selectAll()
        .where("repository_id", "=", repositoryId)
        .where("number", "=", number)
        .where("state", "in", LIVE)
        .execute();
      return rows.map((row) => Row.parse(row));
    },
    async liveIn(places, limit) {
      const { rows } = await sql`select * from review_gates
        where state = any(${[...LIVE]}) and ${isAt(places)} order by armed_at limit ${limit}`.execute(
        db,
      );
      return rows.map((row) => Row.parse(row));
    },
    async end({ repositoryId, number, sha }, { state, reason }) {
      await db
        .updateTable("review_gates")
        .set({ state, reason, due_at: null })
        .where("repository_id", "=", repositoryId)
        .where("number", "=", number)
        .where("sha", "=", sha)
        .where("state", "in", LIVE)
        .execute();
    },
    async claimDue({ limit, now, ...lease }) {
      const due = sql`where due_at <= ${now} and ${isFree()} order by due_at`;
      const what = { table: "review_gates", key: ["repository_id", "number", "sha"], due, limit };
      return (await claimRows(db, what, lease)).map((row) => Row.parse(row));
    },
    async save({ repositoryId, number, sha, wakes }, step, { executorId, now }) {
      const { numAffectedRows } =
        await sql`update review_gates set state = ${step.state}, reason = ${step.reason},
          session_id = ${step.sessionId}, ready_at = ${step.readyAt}, failures = ${step.failures},
          due_at = case when wakes = ${wakes} then ${step.dueAt} else ${now} end::timestamptz,
          looked = ${wakes}, ${givenBack}
        where repository_id = ${repositoryId} and number = ${number} and sha = ${sha}
          and claimed_by = ${executorId} and state in ('armed', 'waiting', 'ready', 'reviewing')`.execute(
          db,
        );
      return numAffectedRows === 1n;
    },
    release: (executorId) => releaseRows(db, "review_gates", executorId),
  };
}
