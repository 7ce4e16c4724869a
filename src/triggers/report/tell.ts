import { ifFound } from "../../core/errors.ts";
import type { Logger } from "pino";
import type { Clock } from "../../core/clock.ts";
import type { Id } from "../../core/id.ts";
import type { Session } from "../../core/session.ts";
import type { Forge, ForgeRepository } from "../../forge/forge.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { EventStore } from "../../store/log/events.ts";
import type { Review, ReviewStore } from "../../store/threads/reviews.ts";
import type { ThreadSession, ThreadSessionStore } from "../../store/threads/thread-sessions.ts";
import { react } from "../order.ts";
import type { Pace } from "./pace.ts";
import { step } from "./progress.ts";
import type { Progress } from "./progress.ts";
import { pullRequestFor } from "./pull-request-for.ts";
import { hashOf } from "./shown.ts";
import { statusComment } from "./status-comment.ts";

export interface TellDeps {
  forge: Forge;
  sessions: Pick<Sessions, "get" | "output" | "ahead">;
  events: Pick<EventStore, "readAfter">;
  threads: ThreadSessionStore;
  reviews: Pick<ReviewStore, "get">;
  settings: { serverUrl: string };
  /** By which people mention the bot. */
  botLogin(): Promise<string>;
  clock: Clock;
  log: Logger;
}

/** What is remembered of a session between two looks; after a restart it is read from the log again. */
export interface Told {
  progress: Progress;
}

const PAGE = 500;

/** Brings the comment up to date; at the end also what comes of it: pull request, reaction, last words. */
export async function tell(
  deps: TellDeps,
  pace: Pace,
  others: number,
  thread: ThreadSession,
  told: Told,
): Promise<void> {
  const session = await ifFound(deps.sessions.get(thread.sessionId));
  if (session === null) {
    // A crash may have come before it was made: then the delivery makes it when it is worked off again.
    if (!(await deps.threads.isAwaited(thread))) await tellNothing(deps, thread);
    return;
  }
  told.progress = await catchUp(deps, session.id, told.progress);
  const repository = deps.forge.repository(thread.repository);
  if (session.completedAt !== null) {
    await tellEnd(deps, pace, { repository, thread, session, told });
    return;
  }
  const ahead = await deps.sessions.ahead(session.id);
  const { progress } = told;
  const botLogin = progress.questions.length === 0 ? "" : await deps.botLogin();
  const text = textOf(deps, { thread, session, progress, ahead, botLogin }, null);
  if (hashOf(text) === thread.shown) return;
  const mayWrite =
    thread.commentId === null
      ? pace.mayBegin(session.status === "pending")
      : pace.mayEdit(thread.sessionId, others);
  if (mayWrite) await show(deps, repository, thread, text);
}

/** It was refused, or given up, before there was a session: whoever has asked gets a sign. */
async function tellNothing(deps: TellDeps, thread: ThreadSession): Promise<void> {
  const { sessionId, repository, number } = thread;
  deps.log.warn({ sessionId, repository, number }, "a session that was asked for was never made");
  await react(deps.forge.repository(repository), thread, thread.source, "confused");
  await deps.threads.told(sessionId);
}

async function tellEnd(
  deps: TellDeps,
  pace: Pace,
  of: { repository: ForgeRepository; thread: ThreadSession; session: Session; told: Told },
): Promise<void> {
  const { repository, thread, session, told } = of;
  const { progress } = told;
  const review = thread.kind === "review" ? await deps.reviews.get(session.id) : null;
  // What it has found is about to be submitted, and told of then.
  if (review?.state === "open") return;
  const output = await deps.sessions.output(session.id);
  const url = await pullRequestFor(repository, thread, session, output, progress);
  const words = review === null ? {} : reviewWords(review, output.summary);
  const end: End = { ...output, ...words, pullRequestUrl: url };
  const text = textOf(deps, { thread, session, progress, ahead: null, botLogin: "" }, end);
  if (hashOf(text) !== thread.shown) {
    pace.count();
    await show(deps, repository, thread, text);
  }
  // The first sign may be put off with the delivery that asked for it: the last one does not come before it.
  if (await deps.threads.mayOweSign(thread)) await react(repository, thread, thread.source, "eyes");
  // The question may be gone by now; the answer stands.
  const sign = session.status === "completed" ? "hooray" : "confused";
  await react(repository, thread, thread.source, sign);
  await deps.threads.told(thread.sessionId);
}

/** The review speaks for itself; where there is none, the comment says what it would have. */
function reviewWords({ state, url, note }: Review, summary: string) {
  return state === "submitted"
    ? { summary: "", reviewUrl: url }
    : { summary: `${summary}\n\nNo review was submitted: ${note ?? "it came to nothing"}.`.trim() };
}

interface End {
  summary: string;
  nextSteps: string[];
  pullRequestUrl: string | null;
  reviewUrl?: string | null;
}

function textOf(
  { settings, clock }: TellDeps,
  of: {
    thread: ThreadSession;
    session: Session;
    progress: Progress;
    ahead: number | null;
    botLogin: string;
  },
  end: End | null,
): string {
  const { thread, session, progress, ahead, botLogin } = of;
  const branch = progress.branch?.name;
  return statusComment({
    session,
    progress,
    ahead,
    asker: thread.asker.login,
    botLogin,
    summary: end?.summary ?? "",
    nextSteps: end?.nextSteps ?? [],
    pullRequestUrl: end?.pullRequestUrl ?? progress.pullRequestUrl,
    reviewUrl: end?.reviewUrl ?? null,
    compareUrl:
      branch === undefined || thread.kind !== "work" || session.project.branch === branch
        ? null
        : `${settings.serverUrl}/${thread.repository}/compare/${encodeURI(branch)}?expand=1`,
    now: clock.now(),
  });
}

async function show(
  deps: TellDeps,
  repository: ForgeRepository,
  thread: ThreadSession,
  text: string,
): Promise<void> {
  const key = `session:${thread.sessionId}`;
  const { source, number, commentId } = thread;
  const kind = source.kind === "lineComment" ? "line" : "thread";
  if (commentId !== null) {
    // Whoever has deleted it does not want to be told.
    await repository.edit({ id: commentId, kind, key }, text);
    await deps.threads.show(thread.sessionId, commentId, hashOf(text));
    return;
  }
  const place = source.kind === "lineComment" ? { inReplyTo: source.firstId } : {};
  const { id, isNew } = await repository.say(key, { number, ...place }, text);
  // Of an earlier try only the answer was lost: it says what was true at that time.
  if (!isNew) await repository.edit({ id, kind, key }, text);
  await deps.threads.show(thread.sessionId, id, hashOf(text));
}

async function catchUp({ events }: TellDeps, id: Id, from: Progress): Promise<Progress> {
  let progress = from;
  for (;;) {
    const page = await events.readAfter(id, progress.lastSeq, PAGE);
    for (const event of page) progress = step(progress, event);
    if (page.length < PAGE) return progress;
  }
}
