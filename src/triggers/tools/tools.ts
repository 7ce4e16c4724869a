import type { Id } from "../../core/id.ts";
import type { Redaction } from "../../core/redaction.ts";
import type { Tool } from "../../core/tool.ts";
import type { Forge } from "../../forge/forge.ts";
import type { Database } from "../../store/database.ts";
import type { SessionStore } from "../../store/sessions/sessions.ts";
import { createThreadSessionStore } from "../../store/threads/thread-sessions.ts";
import { addLabels } from "./add-labels.ts";
import { comment } from "./comment.ts";
import { createPullRequest } from "./create-pull-request.ts";
import { reportProgress } from "./report-progress.ts";
import type { ToolDeps, ToolMaker, ToolPlace } from "./tool-maker.ts";

/** All that there are. */
const MAKERS: readonly ToolMaker[] = [reportProgress, createPullRequest, comment, addLabels];

/** What the hub does for the agents of sessions that were asked for on a thread. */
export interface ThreadTools {
  /** Of a session that works; none before it has its slot. */
  toolsFor(session: { sessionId: Id }): Promise<readonly Tool[]>;
  /** As the agent is told them. */
  namesFor(id: Id): Promise<readonly string[]>;
}

export function createThreadTools(options: {
  /** Null: the hub has no account there, and does nothing for agents. */
  forge: Forge | null;
  database: Database;
  sessions: Pick<SessionStore, "get">;
  events: ToolDeps["events"];
  redaction: Redaction;
}): ThreadTools {
  const { forge, sessions, events, redaction } = options;
  const threads = createThreadSessionStore(options.database);
  const redact = (text: string) => redaction.text(text);

  async function placeOf(id: Id): Promise<ToolPlace | null> {
    const thread = forge === null ? null : await threads.get(id);
    const session = thread === null ? null : await sessions.get(id);
    if (forge === null || thread === null || session === null) return null;
    if (session.terms.toolset === "none") return null;
    const repository = forge.repository(thread.repository);
    return { forge, events, redact, session, thread, repository };
  }

  return {
    async toolsFor({ sessionId }) {
      const place = await placeOf(sessionId);
      return place?.session.admittedAt == null ? [] : toolsAt(place);
    },
    namesFor: async (id) => toolsAt(await placeOf(id)).map(({ name }) => name),
  };
}

function toolsAt(place: ToolPlace | null): readonly Tool[] {
  if (place === null) return [];
  return MAKERS.map((make) => make(place)).filter((tool) => tool !== null);
}
