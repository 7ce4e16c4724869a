import { z } from "zod";
import type { AgentOutcome } from "../agents/agent.ts";
import { RunnerResult } from "../core/job.ts";
import type { Job } from "../core/job.ts";
import { LIMITS } from "../core/limits.ts";
import type { ProbeReport } from "../core/probe.ts";
import type { Changes } from "./collect.ts";
import { LATE_MS } from "./deadline.ts";
import { ATTEMPT_MS } from "./gateway.ts";
import type { GatewayClient } from "./gateway.ts";
import { messageOf } from "./message.ts";
import type { Outbox } from "./outbox.ts";

/** Why the agent was ended before its time. */
export interface Interruption {
  outcome: "cancelled" | "timed_out";
  error: string;
}

/** What the hub is told of a session, once its agent has ended. */
export function resultOf(
  { answerSchema }: Job,
  outcome: AgentOutcome,
  changes: Changes,
  interruption: Interruption | null,
): Omit<RunnerResult, "lastSeq"> {
  const said = {
    summary: answerSchema === null ? outcome.summary : wordsOf(outcome),
    nextSteps: outcome.nextSteps,
    agentSessionId: outcome.agentSessionId,
    artifacts: changes.artifacts,
    diff: changes.diff,
    // Of a run that went wrong, an answer would only be half of one.
    answer: answerSchema === null || !outcome.ok ? null : outcome.answer,
  };
  if (interruption !== null && !outcome.ok) return { ...interruption, ...said };
  if (!outcome.ok)
    return { outcome: "failed", error: outcome.error ?? "The agent failed", ...said };
  if (answerSchema !== null) {
    const fault = faultOf(outcome.answer);
    if (fault !== null) return { outcome: "failed", error: fault, ...said, answer: null };
  }
  if (changes.error === null) return { outcome: "completed", ...said };
  return { outcome: "failed", error: changes.error.slice(0, 2_000).toWellFormed(), ...said };
}

/** Of an answer that is data, and has no summary, there is nothing to read aloud. */
function wordsOf({ answer, summary }: AgentOutcome): string {
  return answer === null || Summarised.safeParse(answer).success ? summary : "";
}
const Summarised = z.object({ summary: z.string() });

/** What is wrong with an answer that was asked for by a schema; whether it fits is for whoever asked. */
function faultOf(answer: AgentOutcome["answer"]): string | null {
  if (answer === null) return "The agent gave no answer in the form that was asked for";
  const { length } = JSON.stringify(answer);
  return length > LIMITS.answerChars ? `The agent's answer has ${length} characters` : null;
}

/** After the last event has arrived, so that nothing is missing when the session ends. */
export async function sendResult(
  gateway: GatewayClient,
  outbox: Outbox,
  untilMs: number,
  result: Omit<RunnerResult, "lastSeq">,
): Promise<void> {
  await outbox.flush();
  const body = RunnerResult.parse({ ...result, lastSeq: outbox.lastSeq() });
  await tell(gateway, { path: "/runner/result", body, untilMs });
}

export async function sendReport(gateway: GatewayClient, report: ProbeReport): Promise<void> {
  const untilMs = Date.now() + ATTEMPT_MS;
  await tell(gateway, { path: "/runner/probe", body: report, untilMs });
}

/** There was no job, or its events were refused: the reason is all that there is to tell. */
export async function reportFailure(gateway: GatewayClient, error: unknown): Promise<void> {
  const body = RunnerResult.parse({ outcome: "failed", error: messageOf(error), lastSeq: 0 });
  await tell(gateway, { path: "/runner/result", body, untilMs: Date.now() + LATE_MS });
}

async function tell(
  gateway: GatewayClient,
  { path, body, untilMs }: { path: string; body: RunnerResult | ProbeReport; untilMs: number },
): Promise<void> {
  await gateway.call(z.object({}), {
    method: "POST",
    path,
    body: JSON.stringify(body),
    timeoutMs: ATTEMPT_MS,
    untilMs,
  });
}
