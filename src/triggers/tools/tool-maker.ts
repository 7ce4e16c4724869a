import type { Tool } from "../../core/tool.ts";
import type { Forge, ForgeRepository } from "../../forge/forge.ts";
import type { EventStore } from "../../store/log/events.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import type { ThreadSession } from "../../store/threads/thread-sessions.ts";

export interface ToolDeps {
  forge: Forge;
  events: Pick<EventStore, "readKinds">;
  /** Makes secrets unreadable in what is written. */
  redact(text: string): string;
}

/** What a session's tools have in their hands: its own thread, and nothing beside it. */
export interface ToolPlace extends ToolDeps {
  session: StoredSession;
  /** Where it was asked for, by whom, and for what (`kind`). */
  thread: ThreadSession;
  /** That of the thread. */
  repository: ForgeRepository;
}

/**
 * Makes one tool for one session; null: sessions like this one do not have it. It is made for each request, so it keeps
 * nothing; what must be remembered is in the store. A tool writes under `call.key` (the forge writes once for one key),
 * by way of `toForge` (nobody is called, no secret told), and on `thread.number` alone.
 */
export type ToolMaker = (place: ToolPlace) => Tool | null;
