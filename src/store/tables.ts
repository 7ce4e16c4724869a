import type { ColumnType, Generated } from "kysely";
import type { BigId, Count, Json, NullableTimestamp, Timestamp } from "./columns.ts";
import type { OrchestrationTables } from "./orchestrations/orchestration-tables.ts";
import type { TalkTables } from "./talk/talk-tables.ts";

export interface SessionsTable {
  id: string;
  type: string;
  status: string;
  repository: string;
  branch: string | null;
  requirements: string;
  context: string | null;
  metadata: Json;
  options: Json;
  orchestration_id: string | null;
  /** The session whose conversation and branch this one goes on with. */
  continues_id: string | null;
  onto_branch: string | null;
  terms: ColumnType<unknown, string | null, never>;
  sandbox_name: string;
  agent_session_id: string | null;
  work_branch: string | null;
  /** It coordinates others, and has a slot of another kind. */
  coordinates: Generated<boolean>;
  policy: ColumnType<unknown, string | null, string | null>;
  /** The hub on whose machine the sandbox is. */
  executor_id: string | null;
  sandbox_created_at: NullableTimestamp;
  /** When a sandbox was made, or begun, for a session that nobody had started. */
  prepared_at: NullableTimestamp;
  /** When the runner of such a sandbox was told to go on. */
  released_at: NullableTimestamp;
  error: string | null;
  open_dependencies: Generated<number>;
  /** bigint: the driver hands it out as text. */
  input_tokens: Count;
  output_tokens: Count;
  cache_read_tokens: Count;
  cache_write_tokens: Count;
  cost_usd: ColumnType<number, never, never>;
  model_calls: ColumnType<number, never, never>;
  created_at: Timestamp;
  requested_at: NullableTimestamp;
  admitted_at: NullableTimestamp;
  deadline_at: NullableTimestamp;
  started_at: NullableTimestamp;
  completed_at: NullableTimestamp;
  cancel_requested_at: NullableTimestamp;
  /** When its runner has said that it takes no more messages. */
  hears_until: NullableTimestamp;
  paused_at: NullableTimestamp;
  /** Of pauses that are over. */
  paused_ms: Count;
  pause_reason: string | null;
  /** When it goes on by itself; null: when somebody says so. */
  resume_due_at: NullableTimestamp;
  /** When its agent was told that its budget is nearly used up. */
  budget_told_at: NullableTimestamp;
  /** When the hub had it ended before its time, and why: one sentence. */
  stop_requested_at: NullableTimestamp;
  stop_reason: string | null;
}

export interface Tables extends OrchestrationTables, TalkTables {
  sessions: SessionsTable;
  session_dependencies: {
    session_id: string;
    depends_on_id: string;
    position: number;
    /** False: it has to have ended, whichever way. */
    required: Generated<boolean>;
    /** To become required when this one of several attempts is chosen. */
    undecided: Generated<boolean>;
  };
  session_logs: { session_id: string; last_seq: number; runner_seq: Generated<number> };
  events: { session_id: string; seq: number; at: Timestamp; kind: string; body: Json };
  results: {
    session_id: string;
    outcome: string;
    error: string | null;
    summary: string;
    next_steps: Json;
    artifacts: Json;
    diff: string;
    answer: ColumnType<unknown, string | null, never>;
    received_at: Timestamp;
  };
  /** Compressed, by the runner. */
  conversations: { session_id: string; body: Buffer; received_at: Timestamp };
  session_tokens: { hash: Buffer; session_id: string };
  api_tokens: {
    id: string;
    hash: Buffer;
    name: string;
    scopes: string[];
    repositories: string[] | null;
    orchestration_id: string | null;
    created_at: Timestamp;
    expires_at: NullableTimestamp;
    last_used_at: NullableTimestamp;
    revoked_at: NullableTimestamp;
  };
  branches: {
    repository: string;
    branch: string;
    session_id: string;
    /** What was handed on to the forge last; whether it took it stands in the log. */
    pushing_sha: ColumnType<string | null, string | null | undefined, string | null>;
  };
  deliveries: {
    provider: string;
    delivery_id: string;
    event: string;
    action: string | null;
    repository: string | null;
    sender: string | null;
    payload: Buffer;
    received_at: Timestamp;
    /** bigint; the order in which they came. */
    number: Count;
    /** What they are worked off in order by: an issue, a pull request, a commit; null: by nothing. */
    thread: string | null;
    state: Generated<string>;
    /** What came of it, or what went wrong last, in one sentence. */
    outcome: string | null;
    attempts: Generated<number>;
    due_at: NullableTimestamp;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
    finished_at: NullableTimestamp;
    /** How often the forge has sent it once more. */
    repeats: Generated<number>;
  };
  /** Of each of the forge's hooks that send to this hub: how far its deliveries are known. */
  delivery_checkpoints: {
    hook: string;
    delivered_at: NullableTimestamp;
    due_at: Timestamp;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
  };
  /** What repositories were called that have been renamed or given away, with what they are called now. */
  former_names: { name: string; repository: string; repository_id: BigId };
  day_reservations: {
    cause: string;
    session_id: string;
    repository_id: ColumnType<string | null, number | null, never>;
    repository: string;
    cost_usd: number | null;
    tokens: ColumnType<string | null, number | null, never>;
    created_at: Timestamp;
  };
  /** What happened to sessions, until it is known whom to tell. */
  announcements: { id: Count; session_id: string; kind: string; at: Timestamp };
  notices: {
    id: string;
    session_id: string;
    kind: string;
    url: string;
    /** Named by the operator, and not by whoever made the session. */
    listed: boolean;
    /** As it is sent, to the byte. */
    body: string;
    state: Generated<string>;
    outcome: string | null;
    attempts: Generated<number>;
    created_at: Timestamp;
    due_at: NullableTimestamp;
    finished_at: NullableTimestamp;
  };
  forge_writes: {
    key: string;
    remote_id: ColumnType<string | null, number | null | undefined, number>;
    url: string | null;
    begun_at: Generated<Date>;
  };
  label_runs: {
    session_id: string;
    cause: string;
    repository_id: BigId;
    repository: string;
    number: number;
    source: ColumnType<unknown, string | null, never>;
    state: Generated<string>;
    outcome: string | null;
    attempts: Generated<number>;
    due_at: Timestamp;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
    created_at: Timestamp;
    finished_at: NullableTimestamp;
  };
  tool_calls: {
    session_id: string;
    tool: string;
    ordinal: number;
    digest: string | null;
    state: Generated<string>;
    tries: Generated<number>;
    answer: string | null;
  };
  review_gates: {
    repository_id: BigId;
    number: number;
    sha: string;
    repository: string;
    state: string;
    reason: string | null;
    session_id: string | null;
    armed_at: Timestamp;
    ready_at: NullableTimestamp;
    due_at: NullableTimestamp;
    wakes: Generated<number>;
    looked: Generated<number>;
    failures: Generated<number>;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
  };
  reviews: {
    session_id: string;
    repository_id: BigId;
    repository: string;
    number: number;
    sha: string;
    state: Generated<string>;
    summary: string | null;
    verdict: string | null;
    url: string | null;
    note: string | null;
    due_at: NullableTimestamp;
    failures: Generated<number>;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
    created_at: Timestamp;
  };
  review_comments: { session_id: string; ordinal: number; comment: Json };
  thread_sessions: {
    session_id: string;
    cause: string;
    repository_id: BigId;
    repository: string;
    number: number;
    kind: string;
    asker_id: BigId;
    asker: string;
    source: Json;
    state: Generated<string>;
    comment_id: ColumnType<string | null, number | null | undefined, number | null>;
    shown: string | null;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
    created_at: Timestamp;
  };
  session_checks: {
    session_id: string;
    sha: string;
    ordinal: Generated<string>;
    repository_id: BigId;
    repository: string;
    number: number;
    kind: string;
    state: Generated<string>;
    shown: string | null;
    due_at: NullableTimestamp;
    failures: Generated<number>;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
    begun_at: Timestamp;
  };
  check_wakes: {
    repository_id: BigId;
    sha: string;
    repository: string;
    due_at: Timestamp;
    created_at: Timestamp;
    failures: Generated<number>;
    claimed_by: string | null;
    claimed_until: NullableTimestamp;
  };
  repairs: {
    repository_id: BigId;
    number: number;
    attempts: number;
    sha: string | null;
    fingerprints: Json;
    reset_sha: string | null;
    gave_up: Generated<boolean>;
  };
}
