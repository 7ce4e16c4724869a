import type { McpTool } from "../tool.ts";
import * as orchestrations from "./orchestrations.ts";
import * as results from "./results.ts";
import * as sessions from "./sessions.ts";
import * as talk from "./talk.ts";
import { waitForSession } from "./wait.ts";

/** In the order in which they are listed. */
export const TOOLS: readonly McpTool[] = [
  sessions.createSession,
  sessions.startSession,
  sessions.getSessionStatus,
  results.getSessionOutput,
  sessions.listSessions,
  waitForSession,
  sessions.cancelSession,
  talk.continueSession,
  talk.messageSession,
  talk.interruptSession,
  talk.forkSession,
  talk.retrySession,
  results.getSessionEvents,
  results.getSessionArtifacts,
  results.getSessionDiff,
  orchestrations.createOrchestration,
  orchestrations.getOrchestration,
  orchestrations.changePlan,
  orchestrations.approvePlan,
  orchestrations.cancelOrchestration,
];
