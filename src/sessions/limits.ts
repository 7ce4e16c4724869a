import { invalidRequest } from "../core/errors.ts";
import { parseSize } from "../core/session-limits.ts";
import type { SessionLimits } from "../core/session-limits.ts";
import type { SandboxLimits } from "../runtimes/runtime.ts";
import type { SessionSettings } from "./deps.ts";

/**
 * The limits of a session's sandbox: the usual ones, or those that it asks for.
 *
 * @throws HubError `invalid_request` when it asks for more than is allowed.
 */
export function limitsFor(
  { sandbox, maxima }: Pick<SessionSettings, "sandbox" | "maxima">,
  asked: SessionLimits = {},
): SandboxLimits {
  const { memory, cpuShares, pidsLimit } = asked;
  return {
    memoryBytes: within(
      "memory",
      maxima.memoryBytes,
      memory === undefined ? sandbox.memoryBytes : parseSize(memory),
    ),
    processes: within("pidsLimit", maxima.processes, pidsLimit ?? sandbox.processes),
    cpuShares: within("cpuShares", maxima.cpuShares, cpuShares ?? sandbox.cpuShares),
  };
}

function within(name: string, most: number, value: number): number {
  if (value <= most) return value;
  throw invalidRequest(`options.limits.${name}`, `is more than the ${most} that are allowed`);
}
