import { AsyncLocalStorage } from "node:async_hooks";
import { DBOS, Error as DbosError } from "@dbos-inc/dbos-sdk";
import { dbRetryConfig } from "@dbos-inc/dbos-sdk/internal/utils";
import type { Logger } from "pino";
import type { Id } from "../core/id.ts";
import type { Engine } from "../sessions/deps.ts";
import type { SessionSteps, Upkeep } from "../sessions/life.ts";
import { engineLog } from "./log.ts";
import { createEnginePool } from "./pool.ts";
import { repeatedly } from "./repeatedly.ts";
import { keepAlive } from "./liveness.ts";
import { EXIT_TOPIC, sessionWorkflow, useSteps } from "./workflow.ts";

/** Workflows of another version are not touched: raise it when the workflow's steps change. */
const VERSION = "1";
const RECONCILE_MS = 1_000;
const PREPARE_MS = 1_000;
const ADMIT_MS = 5_000;
const PAUSES_MS = 1_000;
const BUDGETS_MS = 2_000;
const EXPIRE_MS = 3_600_000;

export interface SessionEngine extends Engine, AsyncDisposable {
  /** Goes on with everything that was under way, and looks after sessions from now on. */
  launch(steps: SessionSteps, upkeep: Upkeep): Promise<void>;
  /** Stops looking after sessions; their sandboxes go on. */
  close(): Promise<void>;
}

/**
 * Carries sessions through crashes with DBOS. One at a time a process.
 *
 * @param executorId The same after a restart of this hub, different from every other hub's.
 */
export function createEngine(options: {
  url: string;
  executorId: string;
  log: Logger;
}): SessionEngine {
  const { executorId, log } = options;
  // The default waits up to a minute before it looks whether the database is back.
  dbRetryConfig.initialBackoffSec = 0.1;
  dbRetryConfig.maxBackoffSec = 1;
  const pool = createEnginePool(options.url, log);
  DBOS.setConfig({
    name: "claude-hub",
    systemDatabaseUrl: options.url,
    systemDatabasePool: pool,
    executorID: executorId,
    applicationVersion: VERSION,
    logger: engineLog(log),
  });
  const closing = new AbortController();
  const running: AsyncDisposable[] = [];
  // The end of one session begins others: that must not look to DBOS like a part of the step that it happens in.
  const outsideOfSteps = AsyncLocalStorage.snapshot();

  async function begin(id: Id): Promise<void> {
    await outsideOfSteps(() => DBOS.startWorkflow(sessionWorkflow, { workflowID: id })(id));
  }

  async function close(): Promise<void> {
    closing.abort();
    for (const one of running.splice(0).toReversed()) await one[Symbol.asyncDispose]();
    useSteps(null);
    await DBOS.shutdown();
    await pool.end();
  }

  return {
    begin,
    async wake(id) {
      try {
        await outsideOfSteps(() => DBOS.send(id, null, EXIT_TOPIC, "exit"));
      } catch (error) {
        if (!(error instanceof DbosError.DBOSNonExistentWorkflowError)) throw error;
        await begin(id);
      }
    },
    async forget(ids) {
      await outsideOfSteps(() => DBOS.deleteWorkflows(ids));
    },
    async launch(steps, upkeep) {
      useSteps(steps);
      // Before the first workflow is recovered, so that no other hub takes ours for dead.
      const liveness = await keepAlive({ url: options.url, executorId, log });
      running.push(liveness);
      await DBOS.launch();
      liveness.watch();
      const { signal } = closing;
      running.push(
        repeatedly({ name: "expire", everyMs: EXPIRE_MS, work: upkeep.expire, signal, log }),
        repeatedly({ name: "prepare", everyMs: PREPARE_MS, work: upkeep.prepare, signal, log }),
        repeatedly({ name: "budgets", everyMs: BUDGETS_MS, work: upkeep.budgets, signal, log }),
        repeatedly({ name: "pauses", everyMs: PAUSES_MS, work: upkeep.pauses, signal, log }),
        repeatedly({ name: "admit", everyMs: ADMIT_MS, work: upkeep.admit, signal, log }),
        repeatedly({
          name: "reconcile",
          everyMs: RECONCILE_MS,
          work: upkeep.reconcile,
          signal,
          log,
        }),
      );
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
