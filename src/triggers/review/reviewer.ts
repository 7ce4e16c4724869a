import { HubError, ifFound } from "../../core/errors.ts";
import { newId } from "../../core/id.ts";
import { startRounds } from "../../events/rounds.ts";
import type { ReviewGate } from "../../store/threads/review-gates.ts";
import type { Review } from "../../store/threads/reviews.ts";
import { verdictOf } from "../checks/verdict.ts";
import { automaticRefusal, beginReview, endSession } from "./begin.ts";
import type { ReviewDeps } from "./deps.ts";
import { stepOf } from "./gate.ts";
import { settleReview } from "./settle.ts";

/** Looks at gates whose time has come, and submits reviews that have come to an end, until it is disposed of. */
export interface Reviewer extends AsyncDisposable {
  /** Says that there is something new. */
  ring(): void;
}

export interface ReviewerOptions extends ReviewDeps {
  executorId: string;
  sweep: { leaseMs: number; pollMs: number };
}

const AT_ONCE = 50;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;
/** About a day and a half, with those pauses. */
const GIVE_UP_AFTER = 200;

export async function startReviewer(options: ReviewerOptions): Promise<Reviewer> {
  const { gates, reviews, executorId, sweep, clock, log } = options;
  const { leaseMs } = sweep;
  await gates.release(executorId);
  await reviews.release(executorId);

  async function lookAtGates(signal: AbortSignal): Promise<void> {
    const by = { executorId, leaseMs, limit: AT_ONCE, now: clock.now() };
    for (const gate of await gates.claimDue(by)) {
      if (signal.aborted) return;
      const facts = { sha: gate.sha, number: gate.number, repository: gate.repository };
      const step = await nextOf(options, gate).catch((error: unknown) => {
        log.warn({ ...facts, err: error }, "a pull request's gate could not be looked at");
        return afterFailure(options, gate, error);
      });
      if (step.state !== gate.state) log.info({ ...facts, state: step.state }, "review gate");
      const isKept = await gates.save(gate, step, { executorId, now: clock.now() });
      // It was ended while its session was being made.
      if (!isKept && gate.sessionId !== null) await endSession(options, gate.sessionId);
      // Where there is a session to make, it is made now.
      if (step.state === "reviewing" && gate.state !== "reviewing") rounds.ring();
    }
  }

  async function lookAtReviews(signal: AbortSignal): Promise<void> {
    const by = { executorId, leaseMs, limit: AT_ONCE, now: clock.now() };
    for (const review of await reviews.claimOpen(by)) {
      if (signal.aborted) return;
      try {
        // Of one that was begun before a crash, whoever began it makes the session.
        const session = await ifFound(options.sessions.get(review.sessionId));
        if (session !== null) await settleReview(options, review, session);
      } catch (error) {
        await putOff(review, error);
      }
    }
  }

  async function putOff(review: Review, error: unknown): Promise<void> {
    const { sessionId, failures } = review;
    log.warn({ err: error, sessionId, failures }, "a review could not be submitted");
    if (isFinal(error) || failures >= GIVE_UP_AFTER) {
      const note = error instanceof HubError ? error.message : "it could not be submitted";
      await reviews.settle(sessionId, { state: "dropped", url: null, note });
      return;
    }
    await reviews.putOff(sessionId, new Date(clock.now().getTime() + pauseMs(failures, error)));
  }

  const rounds = startRounds({
    round: async (signal) => {
      await lookAtGates(signal);
      await lookAtReviews(signal);
    },
    pollMs: sweep.pollMs,
    failed: "reviews could not be looked after",
    log,
  });
  return rounds;
}

type Saved = Parameters<ReviewDeps["gates"]["save"]>[1];

/** What a gate is to become. */
async function nextOf(options: ReviewerOptions, gate: ReviewGate): Promise<Saved> {
  const { forge, settings, clock } = options;
  const whole = { sessionId: gate.sessionId, failures: 0 };
  if (gate.state === "reviewing") return await whileReviewing(options, gate);
  const repository = forge.repository(gate.repository);
  const pull = await repository.pullRequest(gate.number);
  const refusal = await automaticRefusal(options, repository, gate.repository, pull);
  const { appId } = await forge.self();
  const { review } = await (await options.settingsFor()).of(gate.repository);
  const { state: verdict } = verdictOf(await repository.checks(gate.sha), {
    ownAppId: appId,
    waitForAll: review.waitForAllChecks,
    workflow: review.workflow,
  });
  const isHead = pull.head.sha === gate.sha;
  const isWoken = gate.wakes > gate.looked;
  const step = stepOf(gate, { refusal, isHead, verdict, isWoken }, settings, clock.now());
  if (step.state !== "reviewing") return { ...whole, ...step };
  return { ...whole, ...step, sessionId: newId(), dueAt: clock.now() };
}

async function whileReviewing(options: ReviewerOptions, gate: ReviewGate): Promise<Saved> {
  const { reviews, sweep, clock } = options;
  const sessionId = gate.sessionId ?? newId();
  const end = { sessionId, readyAt: null, dueAt: null, failures: 0 };
  const refusal = await beginReview(options, gate, sessionId);
  if (refusal !== null) return { ...end, state: "skipped", reason: refusal };
  const review = await reviews.get(sessionId);
  if (review !== null && review.state !== "open")
    return { ...end, state: "done", reason: review.note };
  const dueAt = new Date(clock.now().getTime() + sweep.pollMs);
  return { ...end, state: "reviewing", reason: gate.reason, dueAt };
}

function afterFailure({ clock }: ReviewerOptions, gate: ReviewGate, error: unknown): Saved {
  const { state, reason, sessionId, readyAt, failures } = gate;
  if (isFinal(error) || failures >= GIVE_UP_AFTER) {
    const why = error instanceof HubError ? error.message : "it could not be looked at";
    return { state: "skipped", reason: why, sessionId, readyAt: null, dueAt: null, failures };
  }
  const dueAt = new Date(clock.now().getTime() + pauseMs(failures, error));
  return { state, reason, sessionId, readyAt, dueAt, failures: failures + 1 };
}

/** The pull request is gone, or it is not for the bot to see or to write on. */
function isFinal(error: unknown): boolean {
  return error instanceof HubError && !error.retryable;
}

function pauseMs(failures: number, error: unknown): number {
  const asked = error instanceof HubError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  return Math.max(asked, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10)));
}
