import type { Id } from "../../core/id.ts";
import { NO_TERMS, OrchestrationTerms } from "../../core/orchestration.ts";
import type { Orchestration, OrchestrationRole } from "../../core/orchestration.ts";
import type { Tx } from "../database.ts";
import { OrchestrationRow } from "./orchestrations.ts";

export type NewOrchestrationRow = Pick<
  Orchestration,
  | "id"
  | "kind"
  | "state"
  | "project"
  | "metadata"
  | "options"
  | "autoStart"
  | "plan"
  | "planVersion"
  | "createdAt"
  | "startedAt"
>;

/** What changes of an orchestration. */
export type OrchestrationChange = Partial<
  Pick<
    Orchestration,
    | "state"
    | "plan"
    | "planVersion"
    | "error"
    | "summary"
    | "branch"
    | "pullRequestUrl"
    | "startedAt"
    | "cancelRequestedAt"
    | "endedAt"
  >
>;

/** False: there is one with this id already. */
export async function insertOrchestrationWithin(
  tx: Tx,
  made: NewOrchestrationRow,
  terms: OrchestrationTerms | undefined,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("orchestrations")
    .values({
      id: made.id,
      kind: made.kind,
      state: made.state,
      repository: made.project.repository,
      project: JSON.stringify(made.project),
      metadata: JSON.stringify(made.metadata),
      options: JSON.stringify(made.options),
      auto_start: made.autoStart,
      plan: made.plan === null ? null : JSON.stringify(made.plan),
      plan_version: made.planVersion,
      created_at: made.createdAt,
      started_at: made.startedAt,
      terms: terms === undefined ? null : JSON.stringify(terms),
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function termsWithin(tx: Tx, id: Id): Promise<OrchestrationTerms> {
  const row = await tx
    .selectFrom("orchestrations")
    .select("terms")
    .where("id", "=", id)
    .executeTakeFirst();
  return row?.terms == null ? NO_TERMS : OrchestrationTerms.parse(row.terms);
}

/** Locks it until the transaction ends; always before sessions are locked. */
export async function lockOrchestration(tx: Tx, id: Id): Promise<Orchestration | null> {
  const row = await tx
    .selectFrom("orchestrations")
    .selectAll()
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? null : OrchestrationRow.parse(row);
}

export async function changeOrchestrationWithin(
  tx: Tx,
  id: Id,
  change: OrchestrationChange,
): Promise<void> {
  const columns = {
    state: change.state,
    plan: change.plan === undefined ? undefined : JSON.stringify(change.plan),
    plan_version: change.planVersion,
    error: change.error,
    summary: change.summary,
    branch: change.branch,
    pull_request_url: change.pullRequestUrl,
    started_at: change.startedAt,
    cancel_requested_at: change.cancelRequestedAt,
    ended_at: change.endedAt,
  };
  const set = Object.fromEntries(
    Object.entries(columns).filter(([, value]) => value !== undefined),
  );
  await tx.updateTable("orchestrations").set(set).where("id", "=", id).execute();
}

/** What a session is in its orchestration, as it is made. */
export interface NewTaskRow {
  sessionId: Id;
  orchestrationId: Id;
  role: OrchestrationRole;
  taskId: string | null;
  title: string;
  attempt?: number;
  attempts?: number;
  round?: number;
  /** Ids of the sessions that take its place, one after the other, when it fails. */
  spares?: Id[];
  /** Of the tool by which the coordinating session has had it made. */
  call?: number;
}

export async function insertTasksWithin(tx: Tx, rows: NewTaskRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insertInto("orchestration_tasks")
    .values(
      rows.map((row) => ({
        session_id: row.sessionId,
        orchestration_id: row.orchestrationId,
        role: row.role,
        task_id: row.taskId,
        title: row.title,
        attempt: row.attempt ?? 1,
        attempts: row.attempts ?? 1,
        round: row.round ?? 1,
        spares: row.spares ?? [],
        call: row.call ?? null,
      })),
    )
    .execute();
}
