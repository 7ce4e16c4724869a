import type { Logger } from "pino";
import type { EventFeed } from "../events/feed.ts";
import type { Orchestrations } from "../orchestration/orchestrations.ts";
import type { SessionAgain } from "../sessions/talk/again.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { SessionTalk } from "../sessions/talk/talk.ts";
import type { EventStore } from "../store/log/events.ts";

export interface McpSettings {
  /** The longest that one call waits for sessions. */
  waitMs: number;
}

export interface McpDeps {
  sessions: Sessions;
  orchestrations: Orchestrations;
  talk: SessionTalk;
  again: SessionAgain;
  events: Pick<EventStore, "readAfter" | "readLast" | "end">;
  feed: EventFeed;
  settings: McpSettings;
  log: Logger;
}
