import type { Logger } from "pino";
import type { Clock } from "../../core/clock.ts";
import { HubError, ifFound } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import { startRounds } from "../../events/rounds.ts";
import type { Rounds } from "../../events/rounds.ts";
import type { CheckDraft, Forge } from "../../forge/forge.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { Review, ReviewStore } from "../../store/threads/reviews.ts";
import type { SessionCheck, SessionCheckStore } from "../../store/threads/session-checks.ts";
import type { ThreadSessionStore } from "../../store/threads/thread-sessions.ts";
import { neutralise } from "../report/neutralise.ts";
import type { SettingsSource } from "../settings/source.ts";
import { pauseMs } from "./pause.ts";
import { actionsOf, annotationsOf, CHECK_NAMES, saysOf, saysOfFormer, saysOfGone } from "./says.ts";
import type { Says } from "./says.ts";

export interface CheckerDeps {
  forge: Forge;
  sessions: Pick<Sessions, "get" | "output">;
  checks: SessionCheckStore;
  reviews: Pick<ReviewStore, "get" | "comments">;
  threads: Pick<ThreadSessionStore, "get">;
  settingsFor(): Promise<SettingsSource>;
  /** Takes secrets out of what a model wrote. */
  redact(text: string): string;
  settings: { serverUrl: string; leaseMs: number; pollMs: number };
  executorId: string;
  clock: Clock;
  log: Logger;
}

const AT_ONCE = 200;
const SUMMARY_CHARS = 60_000;
const PLAIN_SUMMARY = "The pull request tells more.";
/** A session that was not made by then is never made. */
const NEVER_MADE_MS = 24 * 3_600_000;

/**
 * Has the checks of sessions say what is true, until it is disposed of. A session's check is at the head of its pull request:
 * when that moves, the one before is concluded, and there is another one. None stays in progress when its session has ended.
 * Only Apps have checks.
 */
export async function startChecker(deps: CheckerDeps): Promise<Rounds> {
  const { checks, executorId, settings, clock, log } = deps;
  const { leaseMs, pollMs } = settings;
  await checks.release(executorId);

  async function look(signal: AbortSignal): Promise<void> {
    const by = { executorId, leaseMs, limit: AT_ONCE, now: clock.now() };
    for (const check of await checks.claimOpen(by)) {
      if (signal.aborted) return;
      try {
        await bringUpToDate(deps, check);
      } catch (error) {
        await putOff(check, error);
      }
    }
  }

  async function putOff(check: SessionCheck, error: unknown): Promise<void> {
    const { sessionId, sha, failures } = check;
    log.warn({ err: error, sessionId, sha, failures }, "a check could not be shown");
    const pause = pauseMs(error, failures);
    if (pause === null) await checks.close(check, check.shown);
    else await checks.putOff(check, new Date(clock.now().getTime() + pause));
  }

  return startRounds({ round: look, pollMs, failed: "checks could not be shown", log });
}

async function bringUpToDate(deps: CheckerDeps, check: SessionCheck): Promise<void> {
  const { checks, reviews, clock } = deps;
  const session = await ifFound(deps.sessions.get(check.sessionId));
  if (session === null) {
    if (check.shown !== null) return await write(deps, check, { says: saysOfGone() });
    const ageMs = clock.now().getTime() - check.begunAt.getTime();
    if (ageMs > NEVER_MADE_MS) await checks.close(check, null);
    return;
  }
  if (!check.isNewest) {
    // Where nothing was said, there is nothing to take back.
    if (check.shown === null) return await checks.close(check, null);
    const newest = await checks.of(check.sessionId);
    return await write(deps, check, { says: saysOfFormer(newest?.sha ?? check.sha) });
  }
  const review = check.kind === "review" ? await reviews.get(check.sessionId) : null;
  const mayFail = await mayFailIn(deps, check, review);
  const says = saysOf(session, check.kind, review, mayFail);
  // Nobody may have told of a push; at the end the head is asked for.
  if (says.status === "completed" && (await hasMoved(deps, check))) return;
  await write(deps, check, { says, session, review, mayFail });
}

async function mayFailIn(
  { settingsFor }: CheckerDeps,
  { repository }: SessionCheck,
  review: Review | null,
): Promise<boolean> {
  if (review?.verdict !== "request_changes") return false;
  return (await (await settingsFor()).of(repository)).review.mayFail;
}

/** A review is about the commit that was looked at, whatever comes after it. */
async function hasMoved(deps: CheckerDeps, check: SessionCheck): Promise<boolean> {
  if (check.kind === "review") return false;
  const sha = await headOf(deps, check);
  if (sha === check.sha) return false;
  await deps.checks.begin({ ...check, sha, at: deps.clock.now() });
  return true;
}

async function headOf({ forge }: CheckerDeps, check: SessionCheck): Promise<string> {
  try {
    return (await forge.repository(check.repository).pullRequest(check.number)).head.sha;
  } catch (error) {
    if (!(error instanceof HubError) || error.retryable) throw error;
    // Whoever may not read it concludes the check where it is.
    return check.sha;
  }
}

async function write(
  deps: CheckerDeps,
  check: SessionCheck,
  of: { says: Says; session?: Session; review?: Review | null; mayFail?: boolean },
): Promise<void> {
  const { checks } = deps;
  const { says, review = null } = of;
  const isOver = says.status === "completed";
  const shown = `${says.status} ${says.conclusion ?? ""}`.trim();
  if (!isOver && shown === check.shown) return;
  const details = isOver ? await atTheEnd(deps, check, of) : {};
  const made = await put(deps, check, {
    ...says,
    name: CHECK_NAMES[check.kind],
    sha: check.sha,
    summary: PLAIN_SUMMARY,
    detailsUrl: review?.url ?? (await pageOf(deps, check)),
    ...details,
  });
  // Null: the bot may have none.
  if (made === null || isOver) await checks.close(check, shown);
  else await checks.show(check, shown);
}

/** Where the forge does not take what a model wrote, the check says all the same how it ended. */
async function put(
  { forge, log }: CheckerDeps,
  { repository, sessionId, sha }: SessionCheck,
  draft: CheckDraft,
): Promise<{ id: number } | null> {
  const at = forge.repository(repository);
  try {
    return await at.check(sessionId, draft);
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== "invalid_request") throw error;
    log.warn({ err: error, sessionId, sha }, "a check is shown without its findings");
    return await at.check(sessionId, { ...draft, summary: PLAIN_SUMMARY, annotations: [] });
  }
}

async function atTheEnd(
  deps: CheckerDeps,
  check: SessionCheck,
  of: { says: Says; session?: Session; review?: Review | null; mayFail?: boolean },
) {
  const { says, session, review = null, mayFail = false } = of;
  if (session === undefined) return {};
  const isSubmitted = review?.state === "submitted";
  const found = isSubmitted ? await deps.reviews.comments(session.id) : [];
  const words = review?.summary ?? (await deps.sessions.output(session.id)).summary;
  const summary = neutralise(deps.redact(words), SUMMARY_CHARS).trim();
  const isBlamed = isSubmitted && (found.length > 0 || review.verdict === "request_changes");
  return {
    ...(summary === "" ? {} : { summary }),
    annotations: annotationsOf(found, mayFail, deps.redact),
    actions: actionsOf(says, isBlamed),
  };
}

/** Where people read more: the comment that tells of the session, or the pull request. */
async function pageOf(
  { threads, settings }: CheckerDeps,
  { sessionId, repository, number }: SessionCheck,
): Promise<string> {
  const thread = await threads.get(sessionId);
  const comment =
    thread === null || thread.commentId === null || thread.source.kind === "lineComment"
      ? ""
      : `#issuecomment-${thread.commentId}`;
  return `${settings.serverUrl}/${repository}/pull/${number}${comment}`;
}
