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
  /** Written to standard input, which is then closed. */
  stdin: string;
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

/** Reads one run of the agent: every line of its standard output becomes at least one event; none is dropped. */
export interface AgentOutput {
  read(line: string): AgentEvent[];
  /** Called once, when the process has ended. */
  outcome(exit: { exitCode: number | null; signal: string | null }): AgentOutcome;
}

/** A program that does the work: how to start it, and how to read what it says. No I/O in here. */
export interface Agent {
  name: string;
  command(job: Job, place: AgentPlace): AgentCommand;
  /** The file in which the agent keeps its record of a conversation, and looks for one to go on with. */
  conversationPath(
    agentSessionId: string,
    place: Pick<AgentPlace, "workspaceDir" | "homeDir">,
  ): string;
  createOutput(): AgentOutput;
}
