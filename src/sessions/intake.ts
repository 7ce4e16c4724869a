import { budgetExceeded, conflict, invalidRequest } from "../core/errors.ts";
import type { EventBody, EventKind } from "../core/event.ts";
import type { Id } from "../core/id.ts";
import type { EventBatch, Job, RunnerResult } from "../core/job.ts";
import { createBell } from "../events/bell.ts";
import type { Bell } from "../events/bell.ts";
import { lockSessions } from "../store/events.ts";
import { asHubError } from "../store/failure.ts";
import { insertResultWithin } from "../store/results.ts";
import { inTransaction } from "../store/transaction.ts";
import type { TokenOwner } from "../store/tokens.ts";
import type { SessionDeps } from "./deps.ts";
import { jobOf } from "./job.ts";

/** What the doors tell of sandboxes, and ask for them. */
export interface Intake {
  /** Whose token it is; null: nobody's. */
  authenticate(token: string): Promise<TokenOwner | null>;
  job(id: Id): Promise<Job>;
  events(id: Id, batch: EventBatch): Promise<number>;
  result(id: Id, result: RunnerResult): Promise<void>;
  cancellation(id: Id, waitMs: number, signal: AbortSignal): Promise<string | null>;
  record(id: Id, kind: EventKind, body: EventBody): Promise<void>;
  checkBudget(id: Id, inFlight: { tokens: number; costUsd: number }): Promise<void>;
}

export function createIntake(deps: SessionDeps): Intake {
  return {
    authenticate: (token) => deps.tokens.find(token),
    job: (id) => jobOf(deps, id),
    events: (id, batch) => takeEvents(deps, id, batch),
    result: (id, result) => takeResult(deps, id, result),
    cancellation: (id, waitMs, signal) => cancellation(deps, id, waitMs, signal),
    record: (id, kind, body) => record(deps, id, kind, body),
    checkBudget: (id, inFlight) => checkBudget(deps, id, inFlight),
  };
}

/** What only the hub itself may say of a session; a sandbox that says it is lying. */
const HUB_ONLY = /^(session|sandbox|branch|push|model|budget)\./;

/** Takes events from a runner; answers the number up to which they are in the log. */
async function takeEvents(deps: SessionDeps, id: Id, batch: EventBatch): Promise<number> {
  const forged = batch.events.find(({ kind }) => HUB_ONLY.test(kind));
  if (forged !== undefined)
    throw invalidRequest("events", `a runner may not report ${forged.kind}`);
  const events = batch.events.map(({ seq, at, kind, body }) => ({
    runnerSeq: seq,
    at,
    kind,
    body: deps.redaction.body(body),
  }));
  if (!isInOrder(events)) throw invalidRequest("events", "the numbers must rise by one");
  try {
    return (await deps.events.append({ sessionId: id, events })).runnerSeq;
  } catch (error) {
    throw asHubError(error);
  }
}

function isInOrder(events: { runnerSeq: number }[]): boolean {
  const first = events[0]?.runnerSeq ?? 0;
  return events.every(({ runnerSeq }, index) => runnerSeq === first + index);
}

/** Takes a runner's result, once; the session ends soon after. */
async function takeResult(deps: SessionDeps, id: Id, result: RunnerResult): Promise<void> {
  const { runnerSeq } = await deps.events.end(id);
  if (runnerSeq < result.lastSeq) throw conflict(`Events after ${runnerSeq} have not arrived yet`);
  const { redaction } = deps;
  const redacted: RunnerResult = {
    ...result,
    ...(result.error === undefined ? {} : { error: redaction.text(result.error) }),
    summary: redaction.text(result.summary),
    nextSteps: result.nextSteps.map((step) => redaction.text(step)),
    diff: redaction.text(result.diff),
  };
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    await insertResultWithin(tx, id, redacted, deps.clock.now());
  });
  await deps.engine.wake(id);
}

/** Why a session is to end, or null when `waitMs` have passed without such a reason. */
async function cancellation(
  deps: SessionDeps,
  id: Id,
  waitMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  const bell: Bell = createBell(until);
  const stopListening = deps.notifications.on("claude_hub_commands", (sessionId) => {
    if (sessionId === null || sessionId === id) bell.ring();
  });
  try {
    for (;;) {
      const session = await deps.sessions.get(id);
      if (session?.cancelRequestedAt !== undefined && session.cancelRequestedAt !== null)
        return "Cancelled on request";
      if (until.aborted) return null;
      await bell.rung();
    }
  } finally {
    stopListening();
    bell.close();
  }
}

/** Adds what the hub itself saw of a session. */
async function record(deps: SessionDeps, id: Id, kind: EventKind, body: EventBody): Promise<void> {
  const at = deps.clock.now().toISOString();
  const events = [{ at, kind, body: deps.redaction.body(body) }];
  try {
    await deps.events.append({ sessionId: id, events });
  } catch (error) {
    throw asHubError(error);
  }
}

/**
 * Throws `budget_exceeded` when the session has used what its policy grants; `inFlight` is what calls that still run
 * may come to.
 */
async function checkBudget(
  deps: SessionDeps,
  id: Id,
  inFlight: { tokens: number; costUsd: number },
): Promise<void> {
  const session = await deps.sessions.get(id);
  const policy = session?.policy;
  if (session === null || policy === null || policy === undefined) return;
  const { usage } = session;
  const tokens =
    usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const checks = [
    { what: "tokens", limit: policy.maxTokens, used: tokens, more: inFlight.tokens },
    { what: "dollars", limit: policy.maxCostUsd, used: usage.costUsd, more: inFlight.costUsd },
  ] as const;
  for (const { what, limit, used, more } of checks) {
    if (limit === null || used + more < limit) continue;
    // Told once, and only when it is used up by what was really spent.
    const told = await deps.events.readKinds(id, ["budget.exceeded"], 1);
    if (used >= limit && told.length === 0)
      await record(deps, id, "budget.exceeded", { what, limit, used });
    throw budgetExceeded(what, limit);
  }
}
