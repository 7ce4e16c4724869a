import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Id } from "../core/id.ts";
import type { SessionSteps } from "../sessions/life.ts";

/** Name, steps and their order are kept in the database: a change of them needs a new version (see engine.ts). */
const NAME = "session";
export const EXIT_TOPIC = "exit";

/** The wait is ended by a notification; this is how often it looks for itself, should one get lost. */
const POLL_MS = 2_000;
/** A step that fails is repeated until it succeeds: what it does is needed, and it may be repeated. */
const RETRY = { retriesAllowed: true, intervalSeconds: 0.25, backoffRate: 1.5, maxAttempts: 1_000 };
/** Each restart of the hub is one recovery; the limit is there against workflows that crash it, and ours cannot. */
const RECOVERIES = 1_000_000;

// DBOS keeps one registry a process, so one hub a process can be at work.
let steps: SessionSteps | null = null;

/** Sets what the workflow does in this process. */
export function useSteps(current: SessionSteps | null): void {
  steps = current;
}

function step<Result>(name: string, work: (current: SessionSteps) => Promise<Result>) {
  const run = async () => {
    if (steps === null) throw new Error("the hub is stopping");
    return await work(steps);
  };
  return DBOS.runStep(run, { name, ...RETRY });
}

/** A session that holds a slot, from its sandbox to its end. Workflow id: the session's id. */
export const sessionWorkflow = DBOS.registerWorkflow(
  async (id: Id): Promise<void> => {
    for (let untilMs = await step("ensure", ({ ensure }) => ensure(id)); ;) {
      if (untilMs !== null)
        await DBOS.recv(EXIT_TOPIC, { deadlineEpochMS: untilMs, pollingIntervalMs: POLL_MS });
      const remains = await step("stop", ({ stop }) => stop(id));
      if (!("untilMs" in remains)) {
        await step("settle", ({ settle }) => settle(id, remains));
        return;
      }
      ({ untilMs } = remains);
    }
  },
  { name: NAME, maxRecoveryAttempts: RECOVERIES },
);
