import { newId } from "../core/id.ts";
import type { NewSession } from "../core/session.ts";
import type { Account, Comment, ForgeRepository, Issue, PullRequest } from "../forge/forge.ts";
import type { Source, ThreadKind, ThreadSession } from "../store/thread-sessions.ts";
import type { TriggerDeps } from "./deps.ts";
import type { ThreadEvent } from "./payload.ts";
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
}

const COMMENTS_SHOWN = 100;
const KNOWN_SESSIONS = 50;
const TYPES: Record<ThreadKind, NewSession["type"]> = {
  work: "implementation",
  repair: "implementation",
  plan: "analysis",
  review: "review",
};

/** Makes the session that a wish asks for, and starts it; the same one however often it is asked. */
export async function ask(
  deps: TriggerDeps,
  repository: ForgeRepository,
  wish: Wish,
): Promise<ThreadSession> {
  const { event, issue, pullRequest } = wish;
  const { account } = await deps.forge.self();
  const asker: Account = event.sender;
  const before = await previous(deps, event, wish.cause);
  const made = await deps.threads.begin({
    sessionId: newId(),
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
    issue,
    pullRequest,
    comments: await repository.comments(issue.number, COMMENTS_SHOWN),
    line: wish.line,
    askedAt: event.receivedAt,
    bot: account,
  };
  // A fork is somebody else's: nothing can be pushed there, and nothing of it is taken for ours.
  const type = pullRequest?.isFork === true ? "analysis" : TYPES[wish.kind];
  const onto = pullRequest === null ? null : await branchToWorkOn(repository, pullRequest);
  await deps.sessions.create(
    {
      type,
      project: {
        repository: event.repository.name,
        requirements: requirementsOf(asked),
        context: contextOf(asked),
        ...(onto === null ? {} : { branch: onto }),
      },
      dependencies: [],
      ...(before === null ? {} : { continues: before }),
      metadata: {
        github: { number: issue.number, url: issue.url, asker: asker.login, kind: wish.kind },
      },
      options: { autoStart: true },
    },
    { id: made.sessionId, onto: type === "implementation" ? onto : null },
  );
  deps.onAsked();
  return made;
}

/** The session that the next one on this thread goes on with: the newest that there is, whether or not it has ended. */
async function previous(
  deps: TriggerDeps,
  { repository, number }: ThreadEvent,
  cause: string,
): Promise<string | null> {
  const all = await deps.threads.ofThread(repository.id, number, KNOWN_SESSIONS);
  const own = all.findIndex((one) => one.cause === cause);
  const [newest] = all.slice(own + 1).filter(({ kind }) => kind !== "review");
  return newest?.sessionId ?? null;
}

/** The pull request's own branch, unless it is in a fork or the one that everything is merged into. */
async function branchToWorkOn(
  repository: ForgeRepository,
  { isFork, head }: PullRequest,
): Promise<string | null> {
  if (isFork) return null;
  const { defaultBranch } = await repository.facts();
  return head.branch === defaultBranch ? null : head.branch;
}
