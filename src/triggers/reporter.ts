import { createHash } from "node:crypto";
import type { Logger } from "pino";
import type { Clock } from "../core/clock.ts";
import { HubError } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import type { Session } from "../core/session.ts";
import { createBell } from "../events/bell.ts";
import type { Forge, ForgeRepository } from "../forge/forge.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { EventStore } from "../store/events.ts";
import type { Review, ReviewStore } from "../store/reviews.ts";
import type { ThreadSession, ThreadSessionStore } from "../store/thread-sessions.ts";
import { targetOf } from "./obey.ts";
import { pullRequestText } from "./report/pull-request-text.ts";
import { createPace } from "./report/pace.ts";
import type { Pace } from "./report/pace.ts";
import { NO_PROGRESS, step } from "./report/progress.ts";
import type { Progress } from "./report/progress.ts";
import { statusComment } from "./report/status-comment.ts";

export interface ReporterDeps {
  forge: Forge;
  sessions: Pick<Sessions, "get" | "output">;
  events: Pick<EventStore, "readAfter">;
  threads: ThreadSessionStore;
  reviews: Pick<ReviewStore, "get">;
  settings: { serverUrl: string; leaseMs: number; pollMs: number };
  executorId: string;
  clock: Clock;
  log: Logger;
}

/** Tells on the forge what becomes of sessions that were asked for there, until it is disposed of. */
export interface Reporter extends AsyncDisposable {
  /** Says that there is something new. */
  ring(): void;
}

const LIVE = 200;
const PAGE = 500;
/** After a failure, before the next try; doubled each time. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

/** What is remembered of a session between two looks; after a restart it is read from the log again. */
interface Told {
  progress: Progress;
  failures: number;
  notBefore: number;
}

export async function startReporter(deps: ReporterDeps): Promise<Reporter> {
  const { threads, executorId, settings, clock, log } = deps;
  const closing = new AbortController();
  const bell = createBell(closing.signal);
  const known = new Map<Id, Told>();
  const pace = createPace(() => clock.now().getTime());
  await threads.release(executorId);

  async function look(): Promise<void> {
    const { leaseMs } = settings;
    const live = await threads.claimLive({ executorId, leaseMs, limit: LIVE });
    const ids = new Set(live.map(({ sessionId }) => sessionId));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    for (const thread of live) {
      if (closing.signal.aborted) return;
      const told = known.get(thread.sessionId) ?? {
        progress: NO_PROGRESS,
        failures: 0,
        notBefore: 0,
      };
      known.set(thread.sessionId, told);
      if (told.notBefore > clock.now().getTime()) continue;
      try {
        // Others before it may have taken long.
        if (!(await threads.hold(thread.sessionId, { executorId, leaseMs }))) continue;
        await tell(deps, pace, live.length, thread, told);
        told.failures = 0;
      } catch (error) {
        await putOff(thread, told, error);
      }
    }
  }

  async function putOff(thread: ThreadSession, told: Told, error: unknown): Promise<void> {
    const { sessionId } = thread;
    if (error instanceof HubError && !error.retryable) {
      // The thread is gone, locked, takes no more, or is not for the bot any more: nobody is there to be told.
      log.warn({ err: error, sessionId }, "nobody can be told of a session");
      await threads.told(sessionId);
      return;
    }
    told.failures += 1;
    const asked = error instanceof HubError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (told.failures - 1));
    told.notBefore = clock.now().getTime() + Math.max(asked, pauseMs);
    log.warn({ err: error, sessionId, failures: told.failures }, "a session could not be told of");
  }

  const timer = setInterval(() => bell.ring(), settings.pollMs).unref();
  const running = (async () => {
    while (!closing.signal.aborted) {
      try {
        await look();
      } catch (error) {
        log.error({ err: error }, "sessions could not be told of");
      }
      await bell.rung();
    }
  })();

  return {
    ring: () => bell.ring(),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      closing.abort();
      await running;
      bell.close();
    },
  };
}

/** Brings the comment up to date; at the end also what comes of it: pull request, reaction, last words. */
async function tell(
  deps: ReporterDeps,
  pace: Pace,
  others: number,
  thread: ThreadSession,
  told: Told,
): Promise<void> {
  const session = await sessionOf(deps, thread);
  // It was asked for, but a crash came before it was made: the delivery makes it when it is worked off again.
  if (session === null) return;
  told.progress = await catchUp(deps, session.id, told.progress);
  const repository = deps.forge.repository(thread.repository);
  if (session.completedAt !== null) {
    await tellEnd(deps, repository, thread, session, told.progress);
    return;
  }
  const text = textOf(deps, thread, session, told.progress, null);
  if (hashOf(text) === thread.shown) return;
  if (thread.commentId !== null && !pace.mayEdit(thread.sessionId, others)) return;
  await show(deps, repository, thread, text);
}

async function tellEnd(
  deps: ReporterDeps,
  repository: ForgeRepository,
  thread: ThreadSession,
  session: Session,
  progress: Progress,
): Promise<void> {
  const review = thread.kind === "review" ? await deps.reviews.get(session.id) : null;
  // What it has found is about to be submitted, and told of then.
  if (review?.state === "open") return;
  const output = await deps.sessions.output(session.id);
  const url = await pullRequestFor(repository, thread, session, output, progress);
  const text = textOf(deps, thread, session, progress, {
    ...output,
    ...(review === null ? {} : reviewWords(review, output.summary)),
    pullRequestUrl: url,
  });
  if (hashOf(text) !== thread.shown) await show(deps, repository, thread, text);
  const reaction = session.status === "completed" ? "hooray" : "confused";
  try {
    await repository.react(targetOf(thread.source, thread.number), reaction);
  } catch (error) {
    // The question may be gone by now; the answer stands.
    if (!(error instanceof HubError) || error.retryable) throw error;
  }
  await deps.threads.told(thread.sessionId);
}

/** The review speaks for itself; where there is none, the comment says what it would have. */
function reviewWords({ state, url, note }: Review, summary: string) {
  return state === "submitted"
    ? { summary: "", reviewUrl: url }
    : { summary: `${summary}\n\nNo review was submitted: ${note ?? "it came to nothing"}.`.trim() };
}

/** A draft, for work on an issue that has pushed something. What was pushed to a pull request is in it. */
async function pullRequestFor(
  repository: ForgeRepository,
  thread: ThreadSession,
  session: Session,
  output: { summary: string; artifacts: { type: string }[] },
  { branch }: Progress,
): Promise<string | null> {
  if (branch === null || thread.kind !== "work") return null;
  const open = await repository.pullRequestOf(branch.name);
  if (open !== null) return open.url;
  if (session.status !== "completed") return null;
  const issue = await repository.issue(thread.number);
  if (issue.isPullRequest) return null;
  const { defaultBranch } = await repository.facts();
  try {
    const made = await repository.openPullRequest({
      head: branch.name,
      base: session.project.branch ?? defaultBranch,
      ...pullRequestText({ issue, asker: thread.asker.login, summary: output.summary }),
      isDraft: true,
    });
    return made.url;
  } catch (error) {
    // No difference, the branch is gone, or it may not be done: the comment tells how it ended all the same.
    if (error instanceof HubError && !error.retryable) return null;
    throw error;
  }
}

function textOf(
  { settings, clock }: ReporterDeps,
  thread: ThreadSession,
  session: Session,
  progress: Progress,
  end: {
    summary: string;
    nextSteps: string[];
    pullRequestUrl: string | null;
    reviewUrl?: string | null;
  } | null,
): string {
  const branch = progress.branch?.name;
  return statusComment({
    session,
    progress,
    asker: thread.asker.login,
    summary: end?.summary ?? "",
    nextSteps: end?.nextSteps ?? [],
    pullRequestUrl: end?.pullRequestUrl ?? null,
    reviewUrl: end?.reviewUrl ?? null,
    compareUrl:
      branch === undefined || thread.kind !== "work" || session.project.branch === branch
        ? null
        : `${settings.serverUrl}/${thread.repository}/compare/${encodeURI(branch)}?expand=1`,
    now: clock.now(),
  });
}

async function show(
  deps: ReporterDeps,
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
  const { id } = await repository.say(key, { number, ...place }, text);
  await deps.threads.show(thread.sessionId, id, hashOf(text));
}

async function sessionOf(
  deps: ReporterDeps,
  { sessionId }: ThreadSession,
): Promise<Session | null> {
  try {
    return await deps.sessions.get(sessionId);
  } catch (error) {
    if (error instanceof HubError && error.code === "not_found") return null;
    throw error;
  }
}

async function catchUp({ events }: ReporterDeps, id: Id, from: Progress): Promise<Progress> {
  let progress = from;
  for (;;) {
    const page = await events.readAfter(id, progress.lastSeq, PAGE);
    for (const event of page) progress = step(progress, event);
    if (page.length < PAGE) return progress;
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
