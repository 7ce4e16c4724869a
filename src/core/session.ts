import { z } from "zod";
import type { Bounds } from "./budget.ts";
import { Id } from "./id.ts";
import { LIMITS } from "./limits.ts";
import { Branch, Repository } from "./repository.ts";
import { SessionLimits } from "./session-limits.ts";
import { SESSION_STATUSES, SESSION_TYPES } from "./session-words.ts";

export const SessionType = z.enum(SESSION_TYPES);
export type SessionType = z.infer<typeof SessionType>;

/**
 * A session's life. `initializing` has two faces, told apart by `admittedAt`: created and not yet asked to start, and
 * holding a slot while its sandbox comes up.
 *
 *   initializing (created) ──start──▶ pending ──admit──▶ initializing (admitted) ──agent runs──▶ running
 *        │                              │                       │                                  │
 *        └───────────── cancelled ◀─────┴───────────────────────┴── completed | failed | cancelled ┘
 *
 * A session that waits for dependencies or for a slot is `pending`. The last three are final.
 */
export const SessionStatus = z.enum(SESSION_STATUSES);
export type SessionStatus = z.infer<typeof SessionStatus>;

const NEXT: Record<SessionStatus, readonly SessionStatus[]> = {
  initializing: ["pending", "running", "completed", "failed", "cancelled"],
  pending: ["initializing", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: [],
  failed: [],
  cancelled: [],
};

export function canBecome(from: SessionStatus, to: SessionStatus): boolean {
  return NEXT[from].includes(to);
}

export function isFinal(status: SessionStatus): boolean {
  return NEXT[status].length === 0;
}

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes("\u0000"), "must not contain NUL")
    .refine((value) => value.isWellFormed(), "must be well-formed Unicode");

export const Project = z.object({
  repository: Repository,
  branch: Branch.optional(),
  requirements: text(LIMITS.requirementsChars).min(1),
  context: text(LIMITS.contextChars).optional(),
});
export type Project = z.infer<typeof Project>;

/** Dependencies as clients send them: blanks and `none` are dropped, repeats are merged. */
export const Dependencies = z
  .array(z.string().max(200))
  .max(LIMITS.dependencies)
  .transform((ids) =>
    ids.map((id) => id.trim()).filter((id) => id !== "" && id.toLowerCase() !== "none"),
  )
  .pipe(z.array(Id))
  .transform((ids) => [...new Set(ids)]);

/** What a session may use of its model; only narrows what the operator grants. */
export const SessionBudget = z.strictObject({
  tokens: z.int().positive().optional(),
  costUsd: z.number().positive().optional(),
  /** Of agents at work; a pause costs none. */
  minutes: z.number().positive().max(10_080).optional(),
});
export type SessionBudget = z.infer<typeof SessionBudget>;

export const SessionOptions = z.object({
  /** Start by itself as soon as its dependencies allow. */
  autoStart: z.boolean().optional(),
  /** Time limit in seconds, from the moment it gets a slot. */
  timeout: z.int().min(1).max(604_800).optional(),
  notifyUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional(),
  /** In place of the usual limits of its sandbox; within what the operator allows. */
  limits: SessionLimits.optional(),
  budget: SessionBudget.optional(),
});
export type SessionOptions = z.infer<typeof SessionOptions>;

export const Metadata = z
  .record(z.string().max(200), z.json())
  .refine(
    (value) => JSON.stringify(value).length <= LIMITS.metadataBytes,
    `is larger than ${LIMITS.metadataBytes} bytes`,
  )
  .refine((value) => !JSON.stringify(value).includes("\\u0000"), "must not contain NUL")
  // JSON of any depth has no finite description by parts.
  .meta({ type: "object", additionalProperties: true });
export type Metadata = z.infer<typeof Metadata>;

/** What it takes to make a session. */
export const NewSession = z.object({
  type: SessionType,
  project: Project,
  dependencies: Dependencies.default([]),
  /**
   * A session whose conversation and branch this one goes on with, once it has ended. It is of the same repository, and
   * nothing else continues it.
   */
  continues: Id.optional(),
  metadata: Metadata.optional(),
  options: SessionOptions.optional(),
});
export type NewSession = z.infer<typeof NewSession>;

export const Usage = z.object({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
  costUsd: z.number().nonnegative(),
  modelCalls: z.int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

/** Of a session that has not begun. */
export const NO_USAGE: Readonly<Usage> = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0,
  modelCalls: 0,
};

/** A session whose agent waits, with its sandbox and its slot. */
export const Pause = z.object({
  at: z.iso.datetime(),
  reason: z.string(),
  /** When it goes on by itself; null: when somebody says so. */
  until: z.iso.datetime().nullable(),
});
export type Pause = z.infer<typeof Pause>;

/** A session as the hub knows it; times are UTC ISO strings. */
export interface Session {
  id: Id;
  type: SessionType;
  status: SessionStatus;
  project: Project;
  dependencies: Id[];
  orchestrationId: Id | null;
  /** The session whose conversation and branch this one goes on with. */
  continuesId: Id | null;
  metadata: Metadata;
  options: SessionOptions;
  /** The sandbox's name; the contract calls it `containerId`. */
  sandboxName: string;
  /** The agent's own id of the conversation, to resume it. */
  agentSessionId: string | null;
  /** The branch that the session may push, made by the hub; null for types that do not push. */
  workBranch: string | null;
  error: string | null;
  usage: Usage;
  /** What it may use, once it has a slot; before, what it was made with. */
  budget: Bounds;
  /** Null: it is not paused. */
  pause: Pause | null;
  /** Of pauses that are over. */
  pausedMs: number;
  createdAt: string;
  /** When `start` was asked for (or it started by itself); null before. */
  requestedAt: string | null;
  /** When it got a slot. */
  admittedAt: string | null;
  /** When the agent process ran. */
  startedAt: string | null;
  completedAt: string | null;
  cancelRequestedAt: string | null;
}
