import type { ColumnType, Generated } from "kysely";

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
  };
}
