import { conflict, invalidRequest, notFound } from "../../core/errors.ts";
import type { EventKind } from "../../core/event.ts";
import { Id } from "../../core/id.ts";
import type { NewSession, Session } from "../../core/session.ts";
import type { SessionTerms } from "../../core/session-terms.ts";
import type { Fork, NextTask, Retry } from "../../core/talk.ts";
import { asHubError } from "../../store/failure.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import type { SessionDeps } from "../deps.ts";
import type { CreateOptions, Sessions } from "../sessions.ts";

/**
 * New sessions made of one that there is. Each is made by the sessions that are given, which may be fewer than all, and
 * throws what they throw; what is not of the task itself is as it was there.
 */
export interface SessionAgain {
  /** Goes on with its conversation and its branch, once it has ended. */
  continueWith(sessions: Sessions, id: Id, task: NextTask): Promise<Session>;
  /**
   * Goes another way from one moment of a session that has ended: with its conversation up to then, on the commit of
   * then, on a branch of its own. Throws `conflict` when there is nothing to go on with.
   *
   * @param at `seq` of an event; not given: from the end.
   */
  fork(sessions: Sessions, id: Id, fork: Fork): Promise<Session>;
  /** The same task from its beginning; starts by itself. Throws `invalid_request` for a model that is not allowed. */
  retry(sessions: Sessions, id: Id, how: Retry): Promise<Session>;
}

type Deps = Pick<SessionDeps, "sessions" | "events" | "conversations" | "settings">;

export function createAgain(deps: Deps): SessionAgain {
  /** As it is stored, if the caller may see it. */
  async function find(sessions: Sessions, id: Id): Promise<StoredSession> {
    await sessions.get(id);
    const stored = await deps.sessions.get(id).catch((error: unknown) => {
      throw asHubError(error);
    });
    if (stored === null) throw notFound("Session");
    return stored;
  }

  return {
    async continueWith(sessions, id, task) {
      const before = await find(sessions, id);
      const input = { ...taskAfter(before, task), continues: id };
      return await sessions.create(input, optionsOf(before, {}));
    },
    async fork(sessions, id, { at, ...task }) {
      const before = await find(sessions, id);
      const point = await forkPoint(deps, before, at);
      // It gets a branch of its own, also beside a pull request.
      const options = { ...optionsOf(before, { fork: { sessionId: id, ...point } }), onto: null };
      return await sessions.create(taskAfter(before, task), options);
    },
    async retry(sessions, id, { model = null }) {
      const before = await find(sessions, id);
      if (before.completedAt === null) throw conflict("The session has not ended");
      checkModel(deps, before, model);
      const { type, project, dependencies, metadata, options } = before;
      const input = {
        type,
        project,
        dependencies,
        metadata,
        options: { ...options, autoStart: true },
      };
      // Only one session goes on with another; a second one takes its own way from there.
      const fork =
        before.continuesId === null
          ? before.terms.fork
          : { sessionId: before.continuesId, messageId: null, sha: null };
      const terms = { fork, ...(model === null ? {} : { model }) };
      return await sessions.create(input, optionsOf(before, terms));
    },
  };
}

function taskAfter({ type, project, options }: StoredSession, task: NextTask): NewSession {
  const { repository, branch } = project;
  const { autoStart = false, requirements } = task;
  return {
    type,
    project: { repository, requirements, ...(branch === undefined ? {} : { branch }) },
    dependencies: [],
    options: { ...options, autoStart },
  };
}

function optionsOf(before: StoredSession, terms: Partial<SessionTerms>): CreateOptions {
  const { orchestrationId, onto } = before;
  return { orchestrationId, onto, carriesOn: true, terms: { ...termsAfter(before), ...terms } };
}

/** What the hub has laid down for a session holds for those that go on with it. */
export function termsAfter({ terms }: Pick<StoredSession, "terms">): SessionTerms {
  // Who goes on with what another one has coordinated reads and tells; its orchestration is over, or has its coordinator.
  const toolset = terms.toolset === "coordination" ? "usual" : terms.toolset;
  return { ...terms, fork: null, toolset };
}

function checkModel({ settings }: Deps, before: StoredSession, model: string | null): void {
  const { allowedModels, agent } = settings;
  if (model === null || model === before.terms.model || model === agent.model) return;
  if (!allowedModels.includes(model))
    throw invalidRequest("model", "is not among those that the operator allows");
}

/** At these the agent's record can be cut so that what is left makes sense. */
const CUTS: readonly EventKind[] = ["message.written", "tool.returned"];
const PLACES: readonly EventKind[] = ["workspace.cloned", "workspace.updated", "head.moved"];

async function forkPoint(deps: Deps, before: StoredSession, at: number | undefined) {
  const { id, completedAt, agentSessionId } = before;
  if (completedAt === null)
    throw conflict("The session has not ended: its conversation is kept when it does");
  if (!Id.safeParse(agentSessionId).success || !(await deps.conversations.has(id)))
    throw conflict("The session has left no conversation");
  if (at === undefined) return { messageId: null, sha: null };
  const { lastSeq } = await deps.events.end(id);
  if (at > lastSeq) throw invalidRequest("at", `the log ends at ${lastSeq}`);
  const cut = await deps.events.lastUpTo(id, { kinds: CUTS, seq: at, having: "messageId" });
  if (cut === null) throw invalidRequest("at", "nothing had been said by then");
  const place = await deps.events.lastUpTo(id, { kinds: PLACES, seq: at, having: "sha" });
  const sha = place?.body["sha"];
  return {
    messageId: Id.parse(cut.body["messageId"]),
    sha: typeof sha === "string" && /^[0-9a-f]{40}$/.test(sha) ? sha : null,
  };
}
