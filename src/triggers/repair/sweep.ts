import type { Logger } from "pino";
import type { Clock } from "../../core/clock.ts";
import { HubError } from "../../core/errors.ts";
import { startRounds } from "../../events/rounds.ts";
import type { CheckWake, RepairStore } from "../../store/threads/repairs.ts";
import type { Look } from "./repair.ts";

export interface SweepSettings {
  /** How long after a hub's sudden end another one goes on. */
  leaseMs: number;
  pollMs: number;
}

const FORGOTTEN_MS = 24 * 3_600_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 900_000;
const MAX_FAILURES = 8;

/** Looks at commits whose checks have come to rest, until it is disposed of. */
export async function startCheckSweep(options: {
  repairs: RepairStore;
  /** Safe to repeat. */
  lookAt(wake: CheckWake): Promise<Look>;
  executorId: string;
  settings: SweepSettings;
  clock: Clock;
  log: Logger;
}): Promise<AsyncDisposable> {
  const { repairs, executorId, settings, clock, log } = options;
  await repairs.release(executorId);

  async function look(wake: CheckWake): Promise<void> {
    const now = clock.now().getTime();
    try {
      const isOld = now - wake.createdAt.getTime() > FORGOTTEN_MS;
      const again = isOld ? null : await options.lookAt(wake);
      if (again === null) await repairs.done(wake);
      else await repairs.postpone(wake, { dueAt: later(again.afterMs), hasFailed: false });
    } catch (error) {
      await putOff(wake, error);
    }
  }

  async function putOff(wake: CheckWake, error: unknown): Promise<void> {
    const { repository, sha, failures } = wake;
    const isLasting = error instanceof HubError && !error.retryable;
    if (isLasting || failures >= MAX_FAILURES) {
      log.warn({ err: error, repository, sha }, "checks are not looked at");
      await repairs.done(wake);
      return;
    }
    const asked = error instanceof HubError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
    log.warn({ err: error, repository, sha, failures }, "checks could not be looked at");
    await repairs.postpone(wake, { dueAt: later(Math.max(asked, pauseMs)), hasFailed: true });
  }

  function later(ms: number): Date {
    return new Date(clock.now().getTime() + ms);
  }

  async function sweep(signal: AbortSignal): Promise<void> {
    const { leaseMs } = settings;
    for (;;) {
      if (signal.aborted) return;
      // One at a time: what is claimed is begun at once.
      const [wake] = await repairs.claim({ executorId, leaseMs, limit: 1, now: clock.now() });
      if (wake === undefined) return;
      await look(wake);
    }
  }

  return startRounds({
    round: sweep,
    pollMs: settings.pollMs,
    failed: "checks could not be looked at",
    log,
  });
}
