import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";
import { claimRows, isFree, releaseRows } from "../lease.ts";
import type { Lease } from "../lease.ts";

export const Severity = z.enum(["high", "medium", "low"]);
export type Severity = z.infer<typeof Severity>;

export const ReviewVerdict = z.enum(["comment", "request_changes", "approve"]);
export type ReviewVerdict = z.infer<typeof ReviewVerdict>;

/** A finding, kept until the review is submitted as a whole. */
export const FoundComment = z.object({
  path: z.string(),
  line: z.int(),
  startLine: z.int().optional(),
  side: z.enum(["LEFT", "RIGHT"]),
  body: z.string(),
  severity: Severity,
});
export type FoundComment = z.infer<typeof FoundComment>;

/** One session's review of one commit. */
export interface Review {
  sessionId: Id;
  repositoryId: number;
  repository: string;
  number: number;
  sha: string;
  /** `dropped`: there was nothing to submit, or nobody to take it; `note` says why. */
  state: "open" | "submitted" | "dropped";
  /** The reviewer's last word; null: not spoken yet. */
  summary: string | null;
  verdict: ReviewVerdict | null;
  url: string | null;
  note: string | null;
  failures: number;
}

export interface ReviewStore {
  /** Changes nothing when there is one already. */
  begin(
    made: Pick<Review, "sessionId" | "repositoryId" | "repository" | "number" | "sha"> & {
      at: Date;
    },
  ): Promise<void>;
  get(sessionId: Id): Promise<Review | null>;
  /** Again with the same number: nothing. */
  add(sessionId: Id, ordinal: number, comment: FoundComment): Promise<void>;
  comments(sessionId: Id): Promise<FoundComment[]>;
  /** Answers false when it was concluded before, or is over. */
  conclude(sessionId: Id, word: { summary: string; verdict: ReviewVerdict }): Promise<boolean>;
  /** Open ones that no other hub looks after; they are this hub's for `leaseMs`. */
  claimOpen(by: Lease & { limit: number; now: Date }): Promise<Review[]>;
  putOff(sessionId: Id, until: Date): Promise<void>;
  settle(
    sessionId: Id,
    end: { state: "submitted" | "dropped"; url: string | null; note: string | null },
  ): Promise<void>;
  release(executorId: string): Promise<void>;
}

const Row = z
  .object({
    session_id: z.string(),
    repository_id: z.coerce.number(),
    repository: z.string(),
    number: z.int(),
    sha: z.string(),
    state: z.enum(["open", "submitted", "dropped"]),
    summary: z.string().nullable(),
    verdict: ReviewVerdict.nullable(),
    url: z.string().nullable(),
    note: z.string().nullable(),
    failures: z.int(),
  })
  .transform(({ session_id: sessionId, repository_id: repositoryId, ...row }): Review => ({
    sessionId,
    repositoryId,
    ...row,
  }));

export function createReviewStore({ db }: Database): ReviewStore {
  return {
    async begin({ sessionId, repositoryId, repository, number, sha, at }) {
      const row = { session_id: sessionId, repository_id: repositoryId, repository, number, sha };
      await db
        .insertInto("reviews")
        .values({ ...row, created_at: at })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async get(sessionId) {
      const row = await db
        .selectFrom("reviews")
        .selectAll()
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      return row === undefined ? null : Row.parse(row);
    },
    async add(sessionId, ordinal, comment) {
      await db
        .insertInto("review_comments")
        .values({ session_id: sessionId, ordinal, comment: JSON.stringify(comment) })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async comments(sessionId) {
      const rows = await db
        .selectFrom("review_comments")
        .select("comment")
        .where("session_id", "=", sessionId)
        .orderBy("ordinal")
        .execute();
      return rows.map(({ comment }) => FoundComment.parse(comment));
    },
    async conclude(sessionId, { summary, verdict }) {
      const { numUpdatedRows } = await db
        .updateTable("reviews")
        .set({ summary, verdict })
        .where("session_id", "=", sessionId)
        .where("state", "=", "open")
        .where("verdict", "is", null)
        .executeTakeFirstOrThrow();
      return numUpdatedRows === 1n;
    },
    async claimOpen({ limit, now, ...lease }) {
      const due = sql`where state = 'open' and (due_at is null or due_at <= ${now})
          and ${isFree(lease.executorId)} order by created_at`;
      const what = { table: "reviews", key: ["session_id"], due, limit };
      return (await claimRows(db, what, lease)).map((row) => Row.parse(row));
    },
    async putOff(sessionId, until) {
      await sql`update reviews set due_at = ${until}, failures = failures + 1
        where session_id = ${sessionId}`.execute(db);
    },
    async settle(sessionId, end) {
      await db
        .updateTable("reviews")
        .set({ ...end, claimed_by: null, claimed_until: null })
        .where("session_id", "=", sessionId)
        .where("state", "=", "open")
        .execute();
    },
    release: (executorId) => releaseRows(db, "reviews", executorId),
  };
}
