import { z } from "zod";
import { RunnerCommands, RunnerStart } from "../core/job.ts";
import type { GatewayClient } from "./gateway.ts";

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

/** Asks the hub for commands until there is one; resolves with its reason. */
export async function waitForCancel(options: {
  gateway: GatewayClient;
  untilMs: number;
  signal: AbortSignal;
}): Promise<string> {
  for (;;) {
    const { commands } = await options.gateway.call(RunnerCommands, {
      method: "GET",
      path: "/runner/commands",
      timeoutMs: POLL_MS,
      untilMs: options.untilMs,
      signal: options.signal,
    });
    const [first] = commands;
    if (first !== undefined) return first.reason;
  }
}
