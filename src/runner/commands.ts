import { RunnerCommands } from "../core/job.ts";
import type { GatewayClient } from "./gateway.ts";

const POLL_MS = 40_000;

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
