import { z } from "zod";
import { asBounds } from "../../core/budget.ts";
import type { Bounds } from "../../core/budget.ts";
import { Policy } from "../../core/policy.ts";
import { Metadata, SessionOptions, SessionStatus, SessionType } from "../../core/session.ts";
import type { Session } from "../../core/session.ts";
import { SessionTerms, USUAL_TERMS } from "../../core/session-terms.ts";

/** A row of `sessions` with the ids it depends on, as one statement of this room selects it. */
export const SESSION_COLUMNS = `s.*, coalesce((
  select json_agg(d.depends_on_id order by d.position) from session_dependencies d where d.session_id = s.id and d.required
), '[]'::json) as dependencies`;

const time = z.date().transform((date) => date.toISOString());
const count = z.coerce.number();

const SessionRow = z.object({
  id: z.string(),
  type: SessionType,
  status: SessionStatus,
  repository: z.string(),
  branch: z.string().nullable(),
  requirements: z.string(),
  context: z.string().nullable(),
  metadata: Metadata,
  options: SessionOptions,
  orchestration_id: z.string().nullable(),
  continues_id: z.string().nullable(),
  onto_branch: z.string().nullable(),
  terms: SessionTerms.nullable(),
  sandbox_name: z.string(),
  agent_session_id: z.string().nullable(),
  work_branch: z.string().nullable(),
  policy: Policy.nullable(),
  executor_id: z.string().nullable(),
  sandbox_created_at: time.nullable(),
  prepared_at: time.nullable(),
  released_at: time.nullable(),
  error: z.string().nullable(),
  open_dependencies: z.number(),
  input_tokens: count,
  output_tokens: count,
  cache_read_tokens: count,
  cache_write_tokens: count,
  cost_usd: z.number(),
  model_calls: z.number(),
  created_at: time,
  requested_at: time.nullable(),
  admitted_at: time.nullable(),
  deadline_at: time.nullable(),
  started_at: time.nullable(),
  completed_at: time.nullable(),
  cancel_requested_at: time.nullable(),
  hears_until: time.nullable(),
  paused_at: time.nullable(),
  paused_ms: count,
  pause_reason: z.string().nullable(),
  resume_due_at: time.nullable(),
  budget_told_at: time.nullable(),
  stop_requested_at: time.nullable(),
  stop_reason: z.string().nullable(),
  dependencies: z.array(z.string()),
});

/** A session with what only the hub itself needs to know. */
export interface StoredSession extends Session {
  policy: Policy | null;
  /** The hub that makes the sandbox, on its own machine; null before one has taken that on. */
  executorId: string | null;
  /** When the sandbox was there; from then on it is never made again. */
  sandboxCreatedAt: string | null;
  /** When its sandbox was made in advance, or was begun to be; null: it was not, or that was taken back. */
  preparedAt: string | null;
  /** When the runner that was made in advance was told to go on. */
  releasedAt: string | null;
  deadlineAt: string | null;
  openDependencies: number;
  /** A branch of the repository that it works on and pushes, in place of one of its own. */
  onto: string | null;
  terms: SessionTerms;
  /** When its runner has said that it takes no more messages. */
  hearsUntil: string | null;
  /** When its agent was told that its budget is nearly used up. */
  budgetToldAt: string | null;
  /** Why the hub has it ended before its time; null: it does not. */
  stopReason: string | null;
}

export function toSession(row: unknown): StoredSession {
  const r = SessionRow.parse(row);
  return {
    id: r.id,
    type: r.type,
    status: r.status,
    project: {
      repository: r.repository,
      requirements: r.requirements,
      ...(r.branch === null ? {} : { branch: r.branch }),
      ...(r.context === null ? {} : { context: r.context }),
    },
    dependencies: r.dependencies,
    orchestrationId: r.orchestration_id,
    continuesId: r.continues_id,
    metadata: r.metadata,
    options: r.options,
    sandboxName: r.sandbox_name,
    agentSessionId: r.agent_session_id,
    workBranch: r.work_branch,
    error: r.error,
    usage: {
      inputTokens: r.input_tokens,
      outputTokens: r.output_tokens,
      cacheReadTokens: r.cache_read_tokens,
      cacheWriteTokens: r.cache_write_tokens,
      costUsd: r.cost_usd,
      modelCalls: r.model_calls,
    },
    createdAt: r.created_at,
    requestedAt: r.requested_at,
    admittedAt: r.admitted_at,
    startedAt: r.started_at,
    completedAt: r.completed_at,
    cancelRequestedAt: r.cancel_requested_at,
    policy: r.policy,
    executorId: r.executor_id,
    sandboxCreatedAt: r.sandbox_created_at,
    preparedAt: r.prepared_at,
    releasedAt: r.released_at,
    deadlineAt: r.deadline_at,
    openDependencies: r.open_dependencies,
    onto: r.onto_branch,
    terms: r.terms ?? USUAL_TERMS,
    hearsUntil: r.hears_until,
    budget: boundsOf(r),
    pause:
      r.paused_at === null || r.completed_at !== null
        ? null
        : { at: r.paused_at, reason: r.pause_reason ?? "", until: r.resume_due_at },
    pausedMs: r.paused_ms,
    budgetToldAt: r.budget_told_at,
    stopReason: r.stop_reason,
  };
}

/** Before it has a slot, only what it was made with is known. */
function boundsOf({ policy, options, terms }: z.infer<typeof SessionRow>): Bounds {
  const asked = asBounds(options.budget);
  if (policy === null)
    return {
      ...asked,
      costUsd: asked.costUsd ?? terms?.maxCostUsd ?? null,
      tokens: asked.tokens ?? terms?.maxTokens ?? null,
    };
  return {
    costUsd: policy.maxCostUsd,
    tokens: policy.maxTokens,
    minutes: policy.maxMinutes ?? null,
  };
}
