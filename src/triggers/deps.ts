import type { Logger } from "pino";
import type { Clock } from "../core/clock.ts";
import type { BotSettings } from "../core/bot-settings.ts";
import type { Repository } from "../core/repository.ts";
import type { Forge } from "../forge/forge.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { LabelRunStore } from "../store/threads/label-runs.ts";
import type { ReviewGateStore } from "../store/threads/review-gates.ts";
import type { ReviewStore } from "../store/threads/reviews.ts";
import type { RepairStore } from "../store/threads/repairs.ts";
import type { SessionCheckStore } from "../store/threads/session-checks.ts";
import type { ApprovalReads } from "../store/talk/approvals.ts";
import type { SpendingStore } from "../store/spending/spending.ts";
import type { ThreadPlanStore } from "../store/threads/thread-plans.ts";
import type { ThreadSessionStore } from "../store/threads/thread-sessions.ts";
import type { SessionApprovals } from "../sessions/talk/approvals.ts";
import type { Plans } from "./plans/deps.ts";
import type { SettingsSource } from "./settings/source.ts";

/** Where labels are asked for; `labels/labeller.ts` chooses and puts them. */
export interface Labelling {
  runs: Pick<LabelRunStore, "begin" | "ofCause" | "countSince">;
  /** Issues of one repository in an hour, of those that nobody has asked for. */
  perHour: number;
  /** There is something to choose. */
  ring(): void;
}

export interface TriggerDeps {
  forge: Forge;
  sessions: Pick<Sessions, "create" | "get" | "cancel" | "latest" | "writerOf">;
  threads: ThreadSessionStore;
  plans: Plans;
  threadPlans: ThreadPlanStore;
  /** What sessions ask people. */
  questions: ApprovalReads;
  approvals: Pick<SessionApprovals, "answer">;
  /** What holds in the repository that it is about. */
  settings: BotSettings;
  settingsFor: SettingsSource;
  spending: SpendingStore;
  labelling: Labelling;
  review: { gates: ReviewGateStore; reviews: ReviewStore; ring(): void };
  repairs: RepairStore;
  /** What tells of sessions on pull requests. */
  checks: SessionCheckStore;
  /** Does what is done once for ever; what fails may be tried again. */
  once(key: string, work: () => Promise<void>): Promise<void>;
  /** Somebody is about to read the repository by git. */
  warmUp(repository: Repository): Promise<unknown>;
  /** A session was asked for: whoever tells of it may look. */
  onAsked(): void;
  clock: Clock;
  log: Logger;
}

/** What is known before it is known which repository it is about. */
export type CommonDeps = Omit<TriggerDeps, "settings">;
