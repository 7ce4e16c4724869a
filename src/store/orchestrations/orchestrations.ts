import { sql } from "kysely";
import { z } from "zod";
import { idsFrom } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import {
  OrchestrationKind,
  OrchestrationRole,
  OrchestrationState,
  TaskPlace,
} from "../../core/orchestration.ts";
import type { OrchestratedSession, Orchestration } from "../../core/orchestration.ts";
import { Plan } from "../../core/plan.ts";
import {
  Metadata,
  Project,
  SessionOptions,
  SessionStatus,
  SessionType,
} from "../../core/session.ts";
import type { Database, Db, Tx } from "../database.ts";
import { givenBack, isFree, taken } from "../lease.ts";
import type { Lease } from "../lease.ts";

export interface OrchestrationFilter {
  state?: OrchestrationState | undefined;
  idPrefix?: string | undefined;
  repository?: string | undefined;
  repositories?: readonly string[] | undefined;
  /** Older than this one. */
  before?: Id | undefined;
  limit: number;
}

export interface OrchestrationStore {
  get(id: Id): Promise<Orchestration | null>;
  /** Newest first. */
  list(filter: OrchestrationFilter): Promise<Orchestration[]>;
  /** All sessions of an orchestration, oldest first. */
  sessions(id: Id, limit: number): Promise<OrchestratedSession[]>;
  /** Unfinished ones that something can be done about: what they waited for has happened. */
  due(limit: number, now: Date): Promise<Id[]>;
  /** True: this hub alone is to write at the forge for it, for `leaseMs`. */
  claim(id: Id, lease: Lease): Promise<boolean>;
  /** Those that are to be cancelled and have sessions that nobody has told so: they were made at the same moment. */
  abandoned(limit: number): Promise<Id[]>;
  /** It failed: it is due again after a while, the longer the more often; answers how often it has failed by now. */
  putOff(id: Id, more: { now: Date; leastMs: number }): Promise<number>;
}

const time = z.date().transform((date) => date.toISOString());

export const OrchestrationRow = z
  .object({
    id: z.string(),
    kind: OrchestrationKind,
    state: OrchestrationState,
    project: Project,
    metadata: Metadata,
    options: SessionOptions,
    auto_start: z.boolean(),
    plan: Plan.nullable(),
    plan_version: z.int(),
    error: z.string().nullable(),
    summary: z.string().nullable(),
    branch: z.string().nullable(),
    pull_request_url: z.string().nullable(),
    created_at: time,
    started_at: time.nullable(),
    cancel_requested_at: time.nullable(),
    ended_at: time.nullable(),
  })
  .transform((row): Orchestration => ({
    id: row.id,
    kind: row.kind,
    state: row.state,
    project: row.project,
    metadata: row.metadata,
    options: row.options,
    autoStart: row.auto_start,
    plan: row.plan,
    planVersion: row.plan_version,
    error: row.error,
    summary: row.summary,
    branch: row.branch,
    pullRequestUrl: row.pull_request_url,
    createdAt: row.created_at,
    startedAt: row.started_at,
    cancelRequestedAt: row.cancel_requested_at,
    endedAt: row.ended_at,
  }));

const FIRST_PAUSE_S = 5;
const LONGEST_PAUSE_S = 600;
const IdRow = z.object({ id: z.string() });

export function createOrchestrationStore({ db }: Database): OrchestrationStore {
  return {
    async get(id) {
      const row = await db
        .selectFrom("orchestrations")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? null : OrchestrationRow.parse(row);
    },
    async list({ state, idPrefix, repository, repositories, before, limit }) {
      const ids = idPrefix === undefined ? null : idsFrom(idPrefix);
      const { rows } = await sql`select * from orchestrations where true
        ${state === undefined ? sql`` : sql`and state = ${state}`}
        ${repository === undefined ? sql`` : sql`and repository = ${repository}`}
        ${repositories === undefined ? sql`` : sql`and repository = any(${[...repositories]}::text[])`}
        ${ids === null ? sql`` : sql`and id between ${ids.first} and ${ids.last}`}
        ${before === undefined ? sql`` : sql`and id < ${before}`}
        order by id desc limit ${limit}`.execute(db);
      return rows.map((row) => OrchestrationRow.parse(row));
    },
    sessions: (id, limit) => sessionsWithin(db, id, limit),
    async due(limit, now) {
      const { rows } = await sql`select o.id from orchestrations o
        where o.ended_at is null and (o.due_at is null or o.due_at <= ${now}) and (
          (o.state = 'approved' and exists (
            select 1 from sessions s where s.orchestration_id = o.id
              and (s.requested_at is not null or s.completed_at is not null)))
          or (o.state in ('proposing', 'running') and not exists (
            select 1 from sessions s where s.orchestration_id = o.id and s.completed_at is null))
          or (o.state = 'running' and o.kind = 'coordinate' and exists (
            select 1 from orchestration_tasks t join sessions first on first.id = t.session_id
            join orchestration_tasks made on made.orchestration_id = o.id and made.role = 'task'
            join sessions s on s.id = made.session_id
            where t.orchestration_id = o.id and t.role = 'coordinator' and first.completed_at is not null
              and s.completed_at is null and s.cancel_requested_at is null
              and (first.status <> 'completed' or s.requested_at is null))))
        order by o.id limit ${limit}`.execute(db);
      return rows.map((row) => IdRow.parse(row).id);
    },
    async claim(id, lease) {
      const { numAffectedRows } = await sql`update orchestrations set ${taken(lease)}
        where id = ${id} and ended_at is null and ${isFree(lease.executorId)}`.execute(db);
      return numAffectedRows === 1n;
    },
    async abandoned(limit) {
      const { rows } = await sql`select o.id from orchestrations o
        where o.ended_at is null and o.cancel_requested_at is not null and exists (
          select 1 from sessions s where s.orchestration_id = o.id
            and s.completed_at is null and s.cancel_requested_at is null)
        order by o.id limit ${limit}`.execute(db);
      return rows.map((row) => IdRow.parse(row).id);
    },
    async putOff(id, { now, leastMs }) {
      const { rows } = await sql`update orchestrations
        set failures = failures + 1, ${givenBack}, due_at = ${now}::timestamptz
          + make_interval(secs => greatest(${leastMs / 1_000}, least(${LONGEST_PAUSE_S}, ${FIRST_PAUSE_S} * 2 ^ least(failures, 20))))
        where id = ${id} returning failures`.execute(db);
      return z.object({ failures: z.int() }).parse(rows[0]).failures;
    },
  };
}

const SessionRow = z
  .object({
    id: z.string(),
    role: OrchestrationRole.nullable(),
    task_id: z.string().nullable(),
    title: z.string().nullable(),
    attempt: z.int().nullable(),
    round: z.int().nullable(),
    place: TaskPlace.nullable(),
    type: SessionType,
    status: SessionStatus,
    error: z.string().nullable(),
    work_branch: z.string().nullable(),
    dependencies: z.array(z.string()),
    waits_for: z.array(z.string()),
    requested_at: time.nullable(),
    started_at: time.nullable(),
    completed_at: time.nullable(),
    cost_usd: z.number(),
  })
  .transform((row): OrchestratedSession => ({
    sessionId: row.id,
    role: row.role,
    taskId: row.task_id,
    title: row.title,
    attempt: row.attempt ?? 1,
    round: row.round ?? 1,
    place: row.place ?? "current",
    type: row.type,
    status: row.status,
    error: row.error,
    workBranch: row.work_branch,
    dependencies: row.dependencies,
    waitsFor: row.waits_for,
    requestedAt: row.requested_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    costUsd: row.cost_usd,
  }));

const edges = (required: boolean) => sql`coalesce((
  select json_agg(d.depends_on_id order by d.position) from session_dependencies d
  where d.session_id = s.id and d.required = ${required}), '[]'::json)`;

/** All sessions of an orchestration, oldest first. */
export async function sessionsWithin(
  tx: Tx | Db,
  id: Id,
  limit: number,
): Promise<OrchestratedSession[]> {
  const { rows } =
    await sql`select s.id, t.role, t.task_id, t.title, t.attempt, t.round, t.place, s.type, s.status,
      s.error, s.work_branch, s.requested_at, s.started_at, s.completed_at, s.cost_usd,
      ${edges(true)} as dependencies, ${edges(false)} as waits_for
    from sessions s left join orchestration_tasks t on t.session_id = s.id
    where s.orchestration_id = ${id} order by s.id limit ${limit}`.execute(tx);
  return rows.map((row) => SessionRow.parse(row));
}
