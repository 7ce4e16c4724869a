import type { ColumnType, Generated } from "kysely";
import type { BigId } from "../columns.ts";

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type NullableTimestamp = ColumnType<
  Date | null,
  Date | string | null | undefined,
  Date | string | null
>;
type Json = ColumnType<unknown, string, string>;

export interface OrchestrationTables {
  orchestrations: {
    id: string;
    kind: string;
    state: string;
    repository: string;
    project: Json;
    metadata: Json;
    options: Json;
    auto_start: boolean;
    plan: ColumnType<unknown, string | null, string>;
    plan_version: Generated<number>;
    error: string | null;
    summary: string | null;
    branch: string | null;
    pull_request_url: string | null;
    created_at: Timestamp;
    started_at: NullableTimestamp;
    cancel_requested_at: NullableTimestamp;
    ended_at: NullableTimestamp;
    /** When something outside is to be tried again. */
    due_at: NullableTimestamp;
    failures: Generated<number>;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
    terms: ColumnType<unknown, string | null, never>;
  };
  orchestration_tasks: {
    session_id: string;
    orchestration_id: string;
    role: string;
    task_id: string | null;
    title: string;
    attempt: Generated<number>;
    attempts: Generated<number>;
    round: Generated<number>;
    spares: Generated<string[]>;
    place: Generated<string>;
    /** By which its coordinating session has had it made. */
    call: number | null;
  };
  thread_plans: {
    orchestration_id: string;
    cause: string;
    repository_id: BigId;
    repository: string;
    number: number;
    asker_id: BigId;
    asker: string;
    source: Json;
    state: Generated<string>;
    comment_id: ColumnType<string | null, number | null | undefined, number | null>;
    shown: string | null;
    /** The version of the plan that the comment shows; 0: none. */
    shown_version: Generated<number>;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
    looked_at: NullableTimestamp;
    created_at: Timestamp;
  };
}
