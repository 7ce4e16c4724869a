import type { Logger } from "pino";
import type { Clock } from "../../core/clock.ts";
import type { Forge } from "../../forge/forge.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { ReviewGateStore } from "../../store/threads/review-gates.ts";
import type { ReviewStore } from "../../store/threads/reviews.ts";
import type { SessionCheckStore } from "../../store/threads/session-checks.ts";
import type { SpendingStore } from "../../store/spending/spending.ts";
import type { ThreadSessionStore } from "../../store/threads/thread-sessions.ts";
import type { SettingsSource } from "../settings/source.ts";
import type { GateSettings } from "./gate.ts";

export interface ReviewSettings extends GateSettings {
  /** Whether pull requests of people are reviewed by themselves who may not ask for it. */
  strangers: boolean;
}

export interface ReviewDeps {
  forge: Forge;
  sessions: Pick<Sessions, "create" | "get" | "cancel" | "output">;
  gates: ReviewGateStore;
  reviews: ReviewStore;
  checks: SessionCheckStore;
  threads: ThreadSessionStore;
  spending: SpendingStore;
  settingsFor(): Promise<SettingsSource>;
  /** Takes secrets out of what a model wrote. */
  redact(text: string): string;
  settings: ReviewSettings;
  clock: Clock;
  log: Logger;
}
