import type { Logger } from "pino";
import type { Bounds } from "../core/budget.ts";
import type { Clock } from "../core/clock.ts";
import type { Id } from "../core/id.ts";
import type { ModelForm } from "../core/job.ts";
import type { Policy } from "../core/policy.ts";
import type { Redaction } from "../core/redaction.ts";
import type { Repository } from "../core/repository.ts";
import type { CommitAt } from "../core/session-terms.ts";
import type { RepositorySettings } from "../core/repository-settings.ts";
import type { Runtime, SandboxLimits } from "../runtimes/runtime.ts";
import type { ActiveStore } from "../store/sessions/active.ts";
import type { BudgetStore } from "../store/spending/budgets.ts";
import type { ConversationStore } from "../store/sessions/conversations.ts";
import type { BeforeStore } from "../store/sessions/before.ts";
import type { BranchStore } from "../store/sessions/branches.ts";
import type { Database } from "../store/database.ts";
import type { EventStore } from "../store/log/events.ts";
import type { MessageStore } from "../store/talk/messages.ts";
import type { Notifications } from "../store/notifications.ts";
import type { PreparedStore } from "../store/sessions/prepared.ts";
import type { RetentionStore } from "../store/sessions/retention.ts";
import type { ResultStore } from "../store/sessions/results.ts";
import type { SessionStore } from "../store/sessions/sessions.ts";
import type { TokenStore } from "../store/sessions/tokens.ts";

/** What carries a session's life across crashes. Both are safe to repeat. */
export interface Engine {
  /** Begins to look after a session that has got its slot. */
  begin(id: Id): Promise<void>;
  /** Ends the wait for a session's exit: there is a result, or there will be none. */
  wake(id: Id): Promise<void>;
  /** Deletes what it has kept of sessions that are no more. */
  forget(ids: Id[]): Promise<void>;
}

/** What sessions need to know of the repositories on the forge. */
export interface Repositories {
  branches(
    repository: Repository,
    maxAgeMs?: number,
  ): Promise<{
    defaultBranch: string | null;
    has(branch: string): boolean;
    head(branch: string): string | null;
  }>;
  /** Where people can see a branch. */
  urlOf(repository: Repository, branch: string): string;
  /** Has a commit ready for clones that no branch may hold. */
  bring(repository: Repository, commit: CommitAt): Promise<void>;
  /**
   * What it asks for on its default branch, and why nothing of that counts. Throws `upstream_failed` while the forge is away.
   */
  settings(repository: Repository): Promise<{
    settings: RepositorySettings;
    fault: string | null;
  }>;
}

export interface SessionSettings {
  /** Sessions that hold a slot at the same time, in all and of one repository. */
  slots: { total: number; perRepository: number; coordinating: number };
  /** Time limit of a session that names none. */
  lifetimeMs: number;
  /** Of one that coordinates others, and waits for them. */
  coordinationMs: number;
  /** How long a sandbox that was told to end may take for its result. */
  graceMs: number;
  /** What the sessions of one repository may use on one day. */
  day: Bounds;
  policy: Pick<Policy, "pushBranches" | "pushWorkflows" | "maxTokens" | "maxCostUsd">;
  agent: { name: string; executable: string; model: string | null; modelForm: ModelForm };
  /** Who commits. */
  author: { name: string; email: string };
  stallMs: number;
  setupMs: number;
  /** How long an agent that was interrupted is waited for a message. */
  idleMs: number;
  /** So long one that was started waits to begin while the forge is away. */
  forgeWaitMs: number;
  /** How long a session may be paused. */
  pauseMs: number;
  spoolBytes: number;
  /** Of one session's log. */
  logBytes: number;
  sandbox: Required<SandboxLimits>;
  /** What one session may ask for. */
  maxima: Required<SandboxLimits>;
  /** Sandboxes made in advance for sessions that nobody has started yet, and how long they wait for that. */
  prepared: { count: number; maxAgeMs: number };
  /** Uses of tools that a person has to allow, and how long that may take. */
  askTools: readonly string[];
  approvalMs: number;
  /** Models that a session may be told to take in place of the usual one. */
  allowedModels: readonly string[];
  /** Images that repositories may name for their sandboxes. */
  allowedImages: readonly string[];
  /** Other hosts that a sandbox may reach, as they are told to the agent. */
  hosts: readonly string[];
  /** Ended sessions are kept so long; 0: for ever. */
  retentionDays: number;
  /** Deliveries that were worked off are kept so long, and no longer than sessions. */
  deliveryRetentionDays: number;
}

/** What the functions of this room are made from. */
export interface SessionDeps {
  database: Database;
  notifications: Notifications;
  sessions: SessionStore;
  events: EventStore;
  results: ResultStore;
  tokens: TokenStore;
  branches: BranchStore;
  before: BeforeStore;
  conversations: ConversationStore;
  messages: MessageStore;
  active: ActiveStore;
  budgets: BudgetStore;
  prepared: PreparedStore;
  retention: RetentionStore;
  engine: Engine;
  runtime: Runtime;
  /** Work on one session's sandbox, one after the other. */
  inTurn: <Result>(id: Id, work: () => Promise<Result>) => Promise<Result>;
  repositories: Repositories;
  redaction: Redaction;
  /** What the hub does for the agent of a session, by name. */
  tools: { namesFor(id: Id): Promise<readonly string[]> };
  settings: SessionSettings;
  /** Names this hub; the same after a restart, another one on another machine. */
  executorId: string;
  clock: Clock;
  log: Logger;
}
