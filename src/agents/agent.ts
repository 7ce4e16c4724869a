import type { z } from "zod";
import type { EventBody, EventKind } from "../core/event.ts";
import type { Job } from "../core/job.ts";

type Json = z.infer<ReturnType<typeof z.json>>;

export interface AgentPlace {
  workspaceDir: string;
  homeDir: string;
  /** Loopback address of the runner's forwarder; it adds the session token, so the agent needs none. */
  gatewayUrl: string;
  /** PATH. */
  searchPath: string;
  /** What git needs to work here, also when the agent calls it. */
  gitEnv: Record<string, string>;
  /** What makes programs ask the gateway for other hosts. */
  proxyEnv: Record<string, string>;
}

export interface AgentCommand {
  argv: string[];
  /** The agent's whole environment. */
  env: Record<string, string>;
  /** Written to standard input; what follows is for `AgentInput`. */
  stdin: string;
}

/** What a running agent is told on its standard input; each is a whole line. */
export interface AgentInput {
  /** Comes back as `message.delivered` with that id when it stands in the conversation. */
  message(id: string, text: string): string;
  /** Ends the turn; comes back as `turn.interrupted` with that id, and then `turn.finished`. */
  interrupt(id: string): string;
  /**
   * Answers what came as `approval.requested` with that `requestId`, `tool` and `input`.
   *
   * @param reason Why not; null: it may.
   */
  permission(requestId: string, input: EventBody, reason: string | null): string;
}

export interface AgentEvent {
  kind: EventKind;
  body: EventBody;
}

export interface AgentOutcome {
  ok: boolean;
  /** One sentence; present unless ok. */
  error?: string;
  summary: string;
  nextSteps: string[];
  /** The structured final answer as it was given; null: there is none. */
  answer: Json;
  agentSessionId: string | null;
}

/**
 * Reads one run of the agent: every line of its standard output becomes at least one event; none is dropped, except those
 * that only repeat what it was told, or that it was.
 */
export interface AgentOutput {
  read(line: string): AgentEvent[];
  /** Called once, when the process has ended. */
  outcome(exit: { exitCode: number | null; signal: string | null }): AgentOutcome;
}

/** A program that does the work: how to start it, and how to read what it says. No I/O in here. */
export interface Agent {
  name: string;
  /** Null: it takes its prompt and nothing more, so its standard input is closed. */
  input: AgentInput | null;
  command(job: Job, place: AgentPlace): AgentCommand;
  /** The file in which the agent keeps its record of a conversation, and looks for one to go on with. */
  conversationPath(
    agentSessionId: string,
    place: Pick<AgentPlace, "workspaceDir" | "homeDir">,
  ): string;
  createOutput(): AgentOutput;
}
