import { sql } from "kysely";
import type { Kysely } from "kysely";

/** Orchestrations with their plans, and what their sessions are there for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table orchestrations (
    id uuid primary key,
    kind text not null,
    state text not null,
    repository text not null,
    project jsonb not null,
    metadata jsonb not null,
    options jsonb not null,
    auto_start boolean not null,
    plan jsonb,
    plan_version integer not null default 0,
    error text,
    summary text,
    branch text,
    pull_request_url text,
    created_at timestamptz not null,
    started_at timestamptz,
    cancel_requested_at timestamptz,
    ended_at timestamptz,
    due_at timestamptz,
    failures integer not null default 0,
    claimed_by text,
    claimed_until timestamptz
  )`,
  "create index orchestrations_repository on orchestrations (repository, id desc)",
  "create index orchestrations_open on orchestrations (id) where ended_at is null",
  // `spares`: ids of the sessions that are made in its place when it fails. They are chosen before those of its dependents:
  // nothing depends on a younger session, which is what keeps locks in order.
  `create table orchestration_tasks (
    session_id uuid primary key references sessions on delete cascade,
    orchestration_id uuid not null references orchestrations on delete cascade,
    role text not null,
    task_id text,
    title text not null,
    attempt integer not null default 1,
    attempts integer not null default 1,
    round integer not null default 1,
    spares uuid[] not null default '{}',
    place text not null default 'current'
  )`,
  // Of a task with several attempts, before the best is known: the edges to the others go, and this one's becomes required.
  "alter table session_dependencies add column undecided boolean not null default false",
  "create index orchestration_tasks_task on orchestration_tasks (orchestration_id, task_id)",
  "create index branches_session on branches (session_id)",
  // Those that the older API made, which nothing was kept of but their sessions.
  `insert into orchestrations (id, kind, state, repository, project, metadata, options, auto_start, created_at, started_at, ended_at, error)
    select s.orchestration_id, 'coordinate',
      case when s.completed_at is not null then s.status when s.requested_at is not null then 'running' else 'approved' end,
      s.repository,
      jsonb_strip_nulls(jsonb_build_object('repository', s.repository, 'branch', s.branch, 'requirements', s.requirements, 'context', s.context)),
      s.metadata, s.options, s.requested_at is not null, s.created_at, s.requested_at, s.completed_at, s.error
    from (
      select distinct on (orchestration_id) * from sessions where orchestration_id is not null
      order by orchestration_id, type <> 'coordination', id
    ) s`,
  `insert into orchestration_tasks (session_id, orchestration_id, role, title)
    select distinct on (orchestration_id) id, orchestration_id, 'coordinator', 'Coordination' from sessions
    where orchestration_id is not null and type = 'coordination' order by orchestration_id, id`,
];
