import { HubError } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import type { NewSession } from "../core/session.ts";
import type { Account, Comment, ForgeRepository, Issue, PullRequest } from "../forge/forge.ts";
import type { ThreadKind, ThreadSession } from "../store/threads/thread-sessions.ts";
import type { Source } from "../store/threads/asked.ts";
import type { TriggerDeps } from "./deps.ts";
import { happenedAt } from "./payload.ts";
import type { ThreadEvent } from "./payload.ts";
import { askedReview } from "./review/asked.ts";
import { reserveDay } from "./settings/day-budget.ts";
import { termsFor } from "./terms.ts";
import { contextOf, requirementsOf } from "./text/conversation.ts";

/** Somebody's wish, once it is known that they may have it. */
export interface Wish {
  event: ThreadEvent;
  /** Known from the forge: the same wish, heard twice, makes one session. */
  cause: string;
  kind: ThreadKind;
  source: Source;
  instruction: string;
  line: Comment["line"];
  issue: Issue;
  pullRequest: PullRequest | null;
  /** What it is about besides, as data. */
  data?: string;
}

/** As many are read for a session. */
export const COMMENTS_SHOWN = 100;
const KNOWN_SESSIONS = 50;
const TYPES: Record<ThreadKind, NewSession["type"]> = {
  work: "implementation",
  repair: "implementation",
  plan: "analysis",
  review: "review",
};

/**
 * Makes the session that a wish asks for, and starts it; the same one however often it is asked. A sentence: why the
 * repository's budget of the day has nothing for it.
 */
export async function ask(
  deps: TriggerDeps,
  repository: ForgeRepository,
  wish: Wish,
): Promise<ThreadSession | string> {
  const { event, issue, pullRequest } = wish;
  const { account } = await deps.forge.self();
  const asker: Account = event.sender;
  const { cause } = wish;
  const reserved = await reserveDay(deps, event.repository, { cause, sessionId: newId() });
  if (reserved.refusal !== null) return reserved.refusal;
  const { costUsd, tokens } = reserved.limits;
  const made = await deps.threads.begin({
    sessionId: reserved.sessionId,
    cause: wish.cause,
    repositoryId: event.repository.id,
    repository: event.repository.name,
    number: issue.number,
    kind: wish.kind,
    asker: { id: asker.id, login: asker.login },
    source: wish.source,
    createdAt: deps.clock.now().toISOString(),
  });
  const asked = {
    asker,
    instruction: wish.instruction,
    issue: asSeen(issue, event),
    pullRequest,
    comments: await repository.comments(issue.number, COMMENTS_SHOWN),
    line: wish.line,
    askedAt: happenedAt(event),
    bot: account,
    data: wish.data ?? "",
  };
  const type = typeOf(wish);
  const [requirements, context] = [requirementsOf(asked), contextOf(asked)];
  const { sessionId } = made;
  const review =
    wish.kind !== "review" || pullRequest === null
      ? null
      : await askedReview(deps, repository, {
          sessionId,
          event,
          pull: pullRequest,
          usedChars: context.length,
        });
  if (pullRequest !== null)
    await deps.checks.begin({
      sessionId,
      sha: review?.terms.commit?.sha ?? pullRequest.head.sha,
      repositoryId: event.repository.id,
      repository: event.repository.name,
      number: pullRequest.number,
      kind: wish.kind,
      at: deps.clock.now(),
    });
  const onto = pullRequest === null ? null : await branchToWorkOn(repository, pullRequest);
  const create = async () => {
    // Whoever reviews looks with fresh eyes; and what is merged is not gone on with, as its branch may be gone.
    const isFresh = wish.kind === "review" || pullRequest?.state === "merged";
    const before = isFresh ? null : await previous(deps, event, wish.cause, onto);
    await deps.sessions.create(
      {
        type,
        project: {
          repository: event.repository.name,
          requirements: joined(requirements, review?.requirements),
          context: joined(context, review?.context),
          ...(onto === null ? {} : { branch: onto }),
        },
        dependencies: [],
        ...(before === null ? {} : { continues: before }),
        metadata: {
          github: { number: issue.number, url: issue.url, asker: asker.login, kind: wish.kind },
        },
        options: { autoStart: true },
      },
      {
        id: sessionId,
        onto: type === "implementation" ? onto : null,
        terms: {
          ...termsFor(deps.settings, wish.kind),
          maxCostUsd: costUsd,
          maxTokens: tokens,
          ...review?.terms,
        },
      },
    );
  };
  await insistOn(create);
  deps.onAsked();
  return made;
}

/** A fork is somebody else's: nothing can be pushed there, and nothing of it is taken for ours. */
function typeOf({ kind, pullRequest }: Wish): NewSession["type"] {
  return pullRequest?.isFork === true && kind !== "review" ? "analysis" : TYPES[kind];
}

function joined(text: string, more = ""): string {
  return more === "" ? text : `${text}\n\n${more}`;
}

/** With the text that whoever asked had before them, and not with what its author may have made of it since. */
export function asSeen(issue: Issue, { payload }: ThreadEvent): Issue {
  const seen = payload.issue ?? payload.pull_request;
  if (seen?.title === undefined || seen.body === undefined) return issue;
  return { ...issue, title: seen.title, body: seen.body ?? "" };
}

/** Somebody else may have gone on with the same conversation at this very moment; then there is a newer end of it. */
async function insistOn(create: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      await create();
      return;
    } catch (error) {
      const isTaken = error instanceof HubError && error.code === "conflict";
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
}
const ATTEMPTS = 5;

/**
 * The session that the next one goes on with, whether or not it has ended: who wrote the pull request's branch last, so that
 * one writes at a time and knows what was done; else the newest on this thread; and of those the end of their conversation.
 */
async function previous(
  { threads, sessions }: TriggerDeps,
  { repository, number }: ThreadEvent,
  cause: string,
  onto: string | null,
): Promise<Id | null> {
  const writer = onto === null ? null : await sessions.writerOf(repository.name, onto);
  const last = writer === null ? null : await sessions.latest(writer);
  if (last !== null) return last;
  const all = await threads.ofThread(repository.id, number, KNOWN_SESSIONS);
  const own = all.findIndex((one) => one.cause === cause);
  for (const { kind, sessionId } of all.slice(own + 1)) {
    if (kind === "review") continue;
    // What was deleted after its time is not gone on with.
    const found = await sessions.latest(sessionId);
    if (found !== null) return found;
  }
  return null;
}

/** The pull request's own branch, unless it is merged, in a fork, or the one that everything is merged into. */
async function branchToWorkOn(
  repository: ForgeRepository,
  { state, isFork, head }: PullRequest,
): Promise<string | null> {
  // Nobody merges once more what is pushed there; and it may be gone.
  if (state === "merged" || isFork) return null;
  const { defaultBranch } = await repository.facts();
  return head.branch === defaultBranch ? null : head.branch;
}
