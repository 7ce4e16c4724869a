import type { Logger } from "pino";
import type { Clock } from "../core/clock.ts";
import type { Forge, Permission } from "../forge/forge.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { ThreadSessionStore } from "../store/thread-sessions.ts";

export interface TriggerSettings {
  /** The name that people call the bot by, without `@`. */
  botLogin: string;
  /** Logins that may ask, in lower case; none: everybody with the permission. */
  authorizedUsers: readonly string[];
  /** What it takes to ask. */
  permission: Permission;
  /** Ids of bots that may ask. */
  bots: readonly number[];
  /** A label that asks for work on the issue that gets it; null: none does. */
  label: string | null;
  /** Whether a review that asks for changes of the bot's own pull request is followed without a mention. */
  changesRequested: boolean;
}

export interface TriggerDeps {
  forge: Forge;
  sessions: Pick<Sessions, "create" | "get" | "cancel" | "latest" | "writerOf">;
  threads: ThreadSessionStore;
  settings: TriggerSettings;
  /** Does what is done once for ever; what fails may be tried again. */
  once(key: string, work: () => Promise<void>): Promise<void>;
  /** A session was asked for: whoever tells of it may look. */
  onAsked(): void;
  clock: Clock;
  log: Logger;
}
