import type { Question, Verdict } from "../core/approval.ts";
import { conflict, forbidden, invalidRequest, notFound } from "../core/errors.ts";
import type { EventBody, EventKind } from "../core/event.ts";
import type { Id } from "../core/id.ts";
import type {
  Conversation,
  EventBatch,
  Job,
  RunnerClosed,
  RunnerCommand,
  RunnerResult,
  RunnerStart,
} from "../core/job.ts";
import { dayKey } from "../store/spending/budgets.ts";
import { lockSessions } from "../store/log/events.ts";
import { asHubError } from "../store/failure.ts";
import { readWithin } from "../store/sessions/sessions.ts";
import { insertResultWithin } from "../store/sessions/results.ts";
import { inTransaction } from "../store/transaction.ts";
import type { TokenOwner } from "../store/sessions/tokens.ts";
import type { SessionDeps } from "./deps.ts";
import { askPeople } from "./talk/approvals.ts";
import { checkBudget, watchBudget } from "./budgets/budget-watch.ts";
import type { InFlight } from "./budgets/budget-watch.ts";
import { createLogLimit } from "./log-limit.ts";
import type { LogLimit } from "./log-limit.ts";
import { jobOnceThere } from "./job/job-once-there.ts";
import { close, markDone, ordersFor } from "./talk/orders.ts";
import { pauseForProvider } from "./talk/pause.ts";
import { awaitStart, release } from "./sandbox/release.ts";

/** What the doors tell of sandboxes, and ask for them. */
export interface Intake {
  /** Whose token it is; null: nobody's. */
  authenticate(token: string): Promise<TokenOwner | null>;
  job(id: Id): Promise<Job>;
  /** For the runner of a session that was not started when it got its job. */
  start(id: Id, waitMs: number, signal: AbortSignal): Promise<RunnerStart>;
  /** It has been told of the start, and goes on. */
  goOn(id: Id): Promise<void>;
  events(id: Id, batch: EventBatch): Promise<number>;
  result(id: Id, result: RunnerResult): Promise<void>;
  /** Of the session that this one goes on with, or comes from. */
  conversation(id: Id): Promise<Conversation>;
  keepConversation(id: Id, conversation: Conversation): Promise<void>;
  /** What its runner is to do; it has the orders up to `after` already. */
  commands(
    id: Id,
    after: number,
    waiting: { waitMs: number; signal: AbortSignal },
  ): Promise<RunnerCommand[]>;
  /** Has people asked; without a decision, ask again. */
  ask(
    id: Id,
    question: Question,
    waiting: { waitMs: number; signal: AbortSignal },
  ): Promise<Verdict>;
  /** Whether its agent may be let go, which is to have the orders up to `after`. */
  close(id: Id, after: number): Promise<RunnerClosed>;
  record(id: Id, kind: EventKind, body: EventBody): Promise<void>;
  /** Throws `budget_exceeded`, and has the session ended when what it may use has really been used. */
  checkBudget(id: Id, inFlight: InFlight): Promise<void>;
  /** Has the agent told when its budget is nearly used up. */
  watchBudget(id: Id): Promise<void>;
  /** Pauses the session until its model's provider takes calls again. False: it cannot be paused. */
  pauseForProvider(id: Id, status: number, until: Date): Promise<boolean>;
  hasEnded(id: Id): Promise<boolean>;
}

export function createIntake(deps: SessionDeps): Intake {
  const log = createLogLimit(deps.events, deps.settings.logBytes);
  return {
    async authenticate(token) {
      const owner = await deps.tokens.find(token);
      const { costUsd, tokens } = deps.settings.day;
      if (owner === null || (costUsd === null && tokens === null)) return owner;
      return { ...owner, sharesWith: [...owner.sharesWith, dayKey(owner.repository)] };
    },
    job: (id) => handOut(deps, id),
    start: (id, waitMs, signal) => awaitStart(deps, id, waitMs, signal),
    goOn: (id) => release(deps, id),
    events: (id, batch) => takeEvents(deps, log, id, batch),
    result: (id, result) => takeResult(deps, id, result),
    conversation: (id) => conversationFor(deps, id),
    keepConversation: (id, { body }) =>
      deps.conversations.put(id, Buffer.from(body, "base64"), deps.clock.now()),
    commands: (id, after, waiting) => ordersFor(deps, id, after, waiting),
    ask: (id, question, waiting) => askPeople(deps, id, question, waiting),
    close: (id, after) => close(deps, id, after),
    async record(id, kind, body) {
      if (REFUSALS.includes(kind) && !(await log.hasRoom(id, body))) return;
      await record(deps, id, kind, body);
    },
    checkBudget: (id, inFlight) => checkBudget(deps, id, inFlight),
    watchBudget: (id) => watchBudget(deps, id),
    pauseForProvider: (id, status, until) => pauseForProvider(deps, id, status, until),
    hasEnded: (id) => deps.events.isClosed(id),
  };
}

/** Whoever was made in advance waits for the start, also when that is no more to come: that it goes on must be recorded first. */
async function handOut(deps: SessionDeps, id: Id): Promise<Job> {
  const session = await deps.sessions.get(id);
  const isPrepared = session?.preparedAt !== undefined && session.preparedAt !== null;
  const job = await jobOnceThere(deps, id);
  return isPrepared ? { ...job, limits: { ...job.limits, deadlineAt: null } } : job;
}

/** What an agent can have the hub say as often as it likes. */
const REFUSALS: readonly EventKind[] = [
  "push.refused",
  "model.refused",
  "egress.refused",
  "door.refused",
  "request.refused",
];

/** What only the hub itself may say of a session; a sandbox that says it is lying. */
const HUB_ONLY =
  /^((session|repository|sandbox|settings|image|branch|push|model|budget|egress|door|progress|request|approval)\.|message\.(sent|lost)$)/;

/** Takes events from a runner; answers the number up to which they are in the log. */
async function takeEvents(
  deps: SessionDeps,
  log: LogLimit,
  id: Id,
  batch: EventBatch,
): Promise<number> {
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
    const { runnerSeq } = await log.append(id, events);
    await markDone(deps, id, events);
    return runnerSeq;
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
    answer: redaction.body({ answer: result.answer })["answer"] ?? null,
  };
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session?.admittedAt === null) throw forbidden("The session has not been started");
    await insertResultWithin(tx, id, redacted, deps.clock.now());
  });
  await deps.engine.wake(id);
}

async function conversationFor(deps: SessionDeps, id: Id): Promise<Conversation> {
  const session = await deps.sessions.get(id);
  const before = session?.continuesId ?? session?.terms.fork?.sessionId ?? null;
  const body = before === null ? null : await deps.conversations.get(before);
  if (body === null) throw notFound("Conversation");
  return { body: body.toString("base64") };
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
