import { z } from "zod";
import { Artifact } from "../../core/artifact.ts";
import type { Id } from "../../core/id.ts";
import type { RunnerResult } from "../../core/job.ts";
import type { Database, Db, Tx } from "../database.ts";

/** What a session came to, as its runner reported it, or as the hub found it when there was no report. */
export interface StoredResult {
  outcome: RunnerResult["outcome"];
  error: string | null;
  summary: string;
  nextSteps: string[];
  artifacts: Artifact[];
}

export interface ResultStore {
  get(sessionId: Id): Promise<StoredResult | null>;
  /** Null: there is no result yet. */
  diff(sessionId: Id): Promise<string | null>;
  /** Null: there is none, or none was asked for by a schema. */
  answer(sessionId: Id): Promise<unknown>;
}

const Row = z.object({
  outcome: z.enum(["completed", "failed", "cancelled", "timed_out"]),
  error: z.string().nullable(),
  summary: z.string(),
  next_steps: z.array(z.string()),
  artifacts: z.array(Artifact),
});

export function createResultStore({ db }: Database): ResultStore {
  const ofSession = (sessionId: Id) => db.selectFrom("results").where("session_id", "=", sessionId);
  return {
    get: (sessionId) => resultWithin(db, sessionId),
    async diff(sessionId) {
      const row = await ofSession(sessionId).select("diff").executeTakeFirst();
      return row?.diff ?? null;
    },
    async answer(sessionId) {
      const row = await ofSession(sessionId).select("answer").executeTakeFirst();
      return row?.answer ?? null;
    },
  };
}

export async function resultWithin(tx: Tx | Db, sessionId: Id): Promise<StoredResult | null> {
  const found = await tx
    .selectFrom("results")
    .select(["outcome", "error", "summary", "next_steps", "artifacts"])
    .where("session_id", "=", sessionId)
    .executeTakeFirst();
  if (found === undefined) return null;
  const row = Row.parse(found);
  return {
    outcome: row.outcome,
    error: row.error,
    summary: row.summary,
    nextSteps: row.next_steps,
    artifacts: row.artifacts,
  };
}

/** The first result counts; another one changes nothing. */
export async function insertResultWithin(
  tx: Tx,
  sessionId: Id,
  result: RunnerResult,
  receivedAt: Date,
): Promise<void> {
  await tx
    .insertInto("results")
    .values({
      session_id: sessionId,
      outcome: result.outcome,
      error: storable(result.error ?? null),
      summary: storable(result.summary),
      next_steps: storable(JSON.stringify(result.nextSteps)),
      artifacts: storable(JSON.stringify(result.artifacts)),
      diff: storable(result.diff),
      answer: result.answer === null ? null : storable(JSON.stringify(result.answer)),
      received_at: receivedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** PostgreSQL holds neither NUL nor halves of surrogate pairs, in text as in jsonb. */
function storable<Text extends string | null>(text: Text): Text | string {
  return text === null
    ? text
    : text
        .toWellFormed()
        .replaceAll("\u0000", "\ufffd")
        .replaceAll(/\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, String.raw`\ufffd`);
}
