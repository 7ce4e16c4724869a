import { z } from "zod";
import { RunnerCommands, RunnerStart, RunnerVerdict } from "../core/job.ts";
import type { RunnerCommand, RunnerQuestion } from "../core/job.ts";
import type { GatewayClient } from "./gateway.ts";

export type Order = Exclude<RunnerCommand, { kind: "cancel" }>;

const POLL_MS = 40_000;

/** Asks the hub until the session is started. */
export async function waitForStart(options: {
  gateway: GatewayClient;
  untilMs: number;
}): Promise<NonNullable<RunnerStart["start"]>> {
  for (;;) {
    const { start } = await options.gateway.call(RunnerStart, {
      method: "GET",
      path: "/runner/start",
      timeoutMs: POLL_MS,
      untilMs: options.untilMs,
    });
    if (start !== null) return start;
  }
}

/** Tells the hub that the start has arrived. Nothing of the repository runs before it has heard that. */
export async function goOn(options: { gateway: GatewayClient; untilMs: number }): Promise<void> {
  await options.gateway.call(z.object({}), {
    method: "POST",
    path: "/runner/start",
    timeoutMs: POLL_MS,
    untilMs: options.untilMs,
  });
}

const INPUT_CHARS = 8_000;

/** Has people asked, until there is an answer. Why not; null: it may. */
export async function askPeople(
  gateway: GatewayClient,
  { key, tool, input }: RunnerQuestion,
  untilMs: number,
): Promise<string | null> {
  const body = JSON.stringify({
    key,
    tool: tool.slice(0, 1_000).toWellFormed(),
    input: input.slice(0, INPUT_CHARS).toWellFormed(),
  } satisfies RunnerQuestion);
  for (;;) {
    const { decision, reason } = await gateway.call(RunnerVerdict, {
      method: "POST",
      path: "/runner/question",
      body,
      timeoutMs: POLL_MS,
      untilMs,
    });
    if (decision === "allow") return null;
    if (decision === "deny") return `${tool.slice(0, 100)} ${reason}`;
  }
}

/** Asks the hub for orders, and passes each on once, until the session is cancelled; resolves with the reason. */
export async function takeCommands(options: {
  gateway: GatewayClient;
  untilMs: () => number;
  signal: AbortSignal;
  onOrder(order: Order): void;
}): Promise<string> {
  for (let after = 0; ;) {
    const { commands } = await options.gateway.call(RunnerCommands, {
      method: "GET",
      path: `/runner/commands?after=${after}`,
      timeoutMs: POLL_MS,
      untilMs: options.untilMs(),
      signal: options.signal,
    });
    for (const command of commands) {
      if (command.kind === "cancel") return command.reason;
      if (command.position <= after) continue;
      after = command.position;
      options.onOrder(command);
    }
  }
}
