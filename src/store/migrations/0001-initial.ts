import { sql } from "kysely";
import type { Kysely } from "kysely";

/**
 * The event log (`events`) is the truth; `sessions` is its projection. `session_logs` numbers the events: locking a
 * row of it is the one way to lock a session, and always in the order of ids.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table sessions (
    id uuid primary key,
    type text not null,
    status text not null,
    repository text not null,
    branch text,
    requirements text not null,
    context text,
    metadata jsonb not null,
    options jsonb not null,
    orchestration_id uuid,
    sandbox_name text not null unique,
    agent_session_id text,
    work_branch text,
    policy jsonb,
    executor_id text,
    sandbox_created_at timestamptz,
    error text,
    open_dependencies integer not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cache_read_tokens bigint not null default 0,
    cache_write_tokens bigint not null default 0,
    cost_usd double precision not null default 0,
    model_calls integer not null default 0,
    created_at timestamptz not null,
    requested_at timestamptz,
    admitted_at timestamptz,
    deadline_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    cancel_requested_at timestamptz
  )`,
  "create index sessions_repository on sessions (repository, id desc)",
  "create index sessions_status on sessions (status, id desc)",
  "create index sessions_orchestration on sessions (orchestration_id) where orchestration_id is not null",
  "create index sessions_ready on sessions (requested_at, id) where status = 'pending' and open_dependencies = 0",
  "create index sessions_active on sessions (repository) where admitted_at is not null and completed_at is null",
  "create index sessions_ended on sessions (completed_at) where completed_at is not null",
  `create table session_dependencies (
    session_id uuid not null references sessions on delete cascade,
    depends_on_id uuid not null references sessions on delete cascade,
    position integer not null,
    primary key (session_id, depends_on_id)
  )`,
  "create index session_dependencies_reverse on session_dependencies (depends_on_id)",
  `create table session_logs (
    session_id uuid primary key references sessions on delete cascade,
    last_seq integer not null,
    runner_seq integer not null default 0
  ) with (fillfactor = 50)`,
  `create table events (
    session_id uuid not null,
    seq integer not null,
    at timestamptz not null,
    kind text not null,
    body jsonb not null,
    primary key (session_id, seq)
  )`,
  `create table results (
    session_id uuid primary key references sessions on delete cascade,
    outcome text not null,
    error text,
    summary text not null,
    next_steps jsonb not null,
    artifacts jsonb not null,
    diff text not null,
    received_at timestamptz not null
  )`,
  `create table session_tokens (
    hash bytea primary key,
    session_id uuid not null references sessions on delete cascade
  )`,
  "create index session_tokens_session on session_tokens (session_id)",
  `create table branches (
    repository text not null,
    branch text not null,
    session_id uuid not null references sessions on delete cascade,
    primary key (repository, branch)
  )`,
  `create table deliveries (
    provider text not null,
    delivery_id text not null,
    event text not null,
    action text,
    repository text,
    sender text,
    intent text not null,
    payload bytea not null,
    received_at timestamptz not null,
    primary key (provider, delivery_id)
  )`,
  "create index deliveries_received on deliveries (received_at)",
  // pglz costs more than the rest of an insert at this size; a server built without lz4 keeps its default.
  `do $$ begin
    alter table deliveries alter column payload set compression lz4;
    alter table events alter column body set compression lz4;
    exception when feature_not_supported then null;
  end $$`,
];
