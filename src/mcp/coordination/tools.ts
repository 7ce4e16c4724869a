import type { Logger } from "pino";
import type { Access } from "../../core/access.ts";
import { forbidden, invalidRequest } from "../../core/errors.ts";
import { namedId } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import type { Tool, ToolCall } from "../../core/tool.ts";
import { createChildren } from "../../orchestration/children.ts";
import type { Coordinator } from "../../orchestration/children.ts";
import type { OrchestrationDeps } from "../../orchestration/deps.ts";
import { orchestrationsFor } from "../../orchestration/seen.ts";
import { sessionsFor } from "../../sessions/seen.ts";
import { talkFor } from "../../sessions/talk/seen-talk.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { SessionStore } from "../../store/sessions/sessions.ts";
import type { McpDeps } from "../deps.ts";
import type { McpCall, McpTalk, McpTool } from "../tool.ts";
import { getOrchestration } from "../tools/orchestrations.ts";
import * as results from "../tools/results.ts";
import * as sessionTools from "../tools/sessions.ts";
import { interruptSession, messageSession, retrySession } from "../tools/talk.ts";
import { waitTool } from "../tools/wait.ts";
import { createChild } from "./child.ts";

const WEEK_S = 604_800;
/** Of each tool, in one session; how many sessions come of it is bounded on its own. */
const CALLS = 500;
const NO_WAY_ON = "A session that coordinates has no others go on with what has been said";
const WAIT = waitTool({ usualSeconds: WEEK_S });

/** Beside create_session, which is another one than anybody else's. */
const TOOLS: readonly McpTool[] = [
  sessionTools.startSession,
  sessionTools.getSessionStatus,
  results.getSessionOutput,
  sessionTools.listSessions,
  WAIT,
  sessionTools.cancelSession,
  messageSession,
  interruptSession,
  retrySession,
  results.getSessionEvents,
  results.getSessionArtifacts,
  results.getSessionDiff,
  getOrchestration,
];
const NAMES = ["create_session", ...TOOLS.map(({ name }) => name)];

export interface CoordinationDeps extends Omit<McpDeps, "settings"> {
  stored: Pick<SessionStore, "get">;
  database: OrchestrationDeps["database"];
  plans: OrchestrationDeps["settings"];
  log: Logger;
}

/** What the hub does for the agent of a session that coordinates others: what it does for clients, within its orchestration. */
export function createCoordinationTools(deps: CoordinationDeps) {
  return {
    /** Of a session that works; none before it has its slot. */
    async toolsFor({ sessionId }: { sessionId: Id }): Promise<readonly Tool[]> {
      const session = await deps.stored.get(sessionId);
      if (session === null || session.admittedAt === null) return [];
      const { orchestrationId } = session;
      if (orchestrationId === null || session.terms.toolset !== "coordination") return [];
      return toolsOf(deps, { ...session, orchestrationId });
    },
  };
}

/** As the agent is told them. */
export async function coordinationNames(
  stored: Pick<SessionStore, "get">,
  id: Id,
): Promise<readonly string[]> {
  return (await stored.get(id))?.terms.toolset === "coordination" ? NAMES : [];
}

function toolsOf(deps: CoordinationDeps, coordinator: Coordinator): readonly Tool[] {
  const access: Access = {
    tokenId: null,
    scopes: ["write"],
    repositories: [coordinator.project.repository],
    orchestrationId: coordinator.orchestrationId,
  };
  const sessions = othersOf(sessionsFor(deps.sessions, access), coordinator.id);
  const orchestrations = orchestrationsFor(deps.orchestrations, access);
  const { database, plans: settings, again } = deps;
  const children = createChildren({ database, settings, sessions, again });
  const said = talkFor(deps.talk, deps.sessions, access);
  const sender = `coordinator ${coordinator.id}`;
  const talkOf = ({ ordinal }: ToolCall): McpTalk => ({
    async message(id, message) {
      refuseOwn(coordinator.id, id);
      // The hub may have died before it could answer, and is asked again.
      const orderId = namedId(coordinator.id, `message ${ordinal}`);
      return await said.message(id, { ...message, id: orderId, sender });
    },
    async interrupt(id) {
      refuseOwn(coordinator.id, id);
      return await said.interrupt(id, sender, namedId(coordinator.id, `interrupt ${ordinal}`));
    },
    retry: (id, { model }) => children.retry(coordinator, id, { model, call: ordinal }),
    continueWith: () => Promise.reject(forbidden(NO_WAY_ON)),
    fork: () => Promise.reject(forbidden(NO_WAY_ON)),
  });
  const callFor = (call: ToolCall): McpCall => ({
    sessions,
    orchestrations,
    events: deps.events,
    feed: deps.feed,
    settings: { waitMs: WEEK_S * 1_000 },
    talk: talkOf(call),
    signal: call.signal,
    progress: (message) => call.progress(message),
  });
  const child = (call: number) => createChild(children, coordinator, call);
  const create: Tool = {
    ...asTool(child(0)),
    run: async (input, call) => text(await child(call.ordinal).run(input, callFor(call))),
  };
  return [
    create,
    ...TOOLS.map((tool): Tool => ({
      ...asTool(tool),
      run: async (input, call) => text(await tool.run(input, callFor(call))),
    })),
  ];
}

function asTool(tool: McpTool): Omit<Tool, "run"> {
  const { name, description, input, effect } = tool;
  return {
    name,
    description,
    input,
    limit: CALLS,
    repeated: effect === "reads" ? "reads" : "again",
    waits: tool === WAIT,
  };
}

/** Whoever waits for itself waits for ever, and who cancels itself cannot tell what came of it. */
function othersOf(sessions: Sessions, own: Id): Sessions {
  return {
    ...sessions,
    async get(id) {
      refuseOwn(own, id);
      return await sessions.get(id);
    },
    async start(id) {
      refuseOwn(own, id);
      return await sessions.start(id);
    },
    async cancel(id) {
      refuseOwn(own, id);
      return await sessions.cancel(id);
    },
  };
}

function refuseOwn(own: Id, id: Id): void {
  if (id === own) throw invalidRequest("session_id", `${own} is your own session`);
}

function text(output: Record<string, unknown>): string {
  return JSON.stringify(output);
}
