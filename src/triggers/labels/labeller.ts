import type { Logger } from "pino";
import type { BotSettings } from "../../core/bot-settings.ts";
import type { Clock } from "../../core/clock.ts";
import { HubError } from "../../core/errors.ts";
import { startRounds } from "../../events/rounds.ts";
import type { Forge } from "../../forge/forge.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { LabelRun, LabelRunStore } from "../../store/threads/label-runs.ts";
import type { SpendingStore } from "../../store/spending/spending.ts";
import { settleRun } from "./settle.ts";

/** How labels are chosen; the same in every repository. */
export interface LabelBounds {
  /** How sure the model has to be. */
  confidence: number;
  maxCostUsd: number;
}

/** What holds in one repository. */
export interface LabelRules {
  mode: "on" | "dry-run" | "off";
  /** In lower case. */
  exclude: readonly string[];
  max: number;
  /** Null: the usual one. */
  model: string | null;
  budget: BotSettings["budget"];
}

/** From the settings that hold in a repository. A label that sets the bot to work is no stranger's to have put. */
export function labelRulesOf({ labels, label, repair, models, budget }: BotSettings): LabelRules {
  const asking = [label, repair.label].filter((name) => name !== null);
  return {
    ...labels,
    exclude: [...labels.exclude, ...asking.map((name) => name.toLowerCase())],
    model: models.label,
    budget,
  };
}

export interface LabellerDeps {
  forge: Forge;
  sessions: Pick<Sessions, "create" | "get" | "answer">;
  runs: LabelRunStore;
  spending: Pick<SpendingStore, "since" | "reserve">;
  bounds: LabelBounds;
  rulesFor(repository: string): Promise<LabelRules>;
  settings: { leaseMs: number; pollMs: number };
  executorId: string;
  clock: Clock;
  log: Logger;
}

/** Has labels chosen and puts them, until it is disposed of. */
export interface Labeller extends AsyncDisposable {
  /** Says that there is something new. */
  ring(): void;
}

const AT_ONCE = 50;
const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

export async function startLabeller(deps: LabellerDeps): Promise<Labeller> {
  const { runs, executorId, settings, clock, log } = deps;
  await runs.release(executorId);

  async function look(signal: AbortSignal): Promise<void> {
    const { leaseMs } = settings;
    const now = clock.now();
    for (const run of await runs.claim({ executorId, leaseMs, limit: AT_ONCE, now })) {
      if (signal.aborted) return;
      try {
        // Others before it may have taken long.
        if (!(await runs.hold(run.sessionId, { executorId, leaseMs }))) continue;
        await settleRun(deps, run);
      } catch (error) {
        await putOff(run, error);
      }
    }
  }

  async function putOff(run: LabelRun, error: unknown): Promise<void> {
    const known = error instanceof HubError;
    const givesUp = run.attempts + 1 >= ATTEMPTS || (known && !error.retryable);
    const outcome = known ? error.message : "something went wrong";
    const { sessionId, repository, number } = run;
    const facts = { err: error, sessionId, repository, number };
    log.warn(facts, givesUp ? "an issue could not be labelled" : "labels are put off");
    if (givesUp) {
      await runs.done(sessionId, outcome, clock.now());
      return;
    }
    const asked = known ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** run.attempts);
    const dueAt = new Date(clock.now().getTime() + Math.max(asked, pauseMs));
    await runs.putOff(sessionId, { outcome, dueAt });
  }

  return startRounds({
    round: look,
    pollMs: settings.pollMs,
    failed: "labels could not be seen to",
    log,
  });
}
