import { join } from "node:path";
import type { Logger } from "pino";
import type { Clock } from "../../core/clock.ts";
import { notFound } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import type { CommitAt } from "../../core/session-terms.ts";
import type { GitLimits } from "./limits.ts";
import { createComparison, fetchObjects } from "./comparison.ts";
import type { ReadCredential } from "./credentials.ts";
import { createMirrorStore } from "./mirror-store.ts";
import type { RefUpdate } from "./mirror-store.ts";
import type { Refs } from "./remote.ts";
import { createScratch } from "./scratch.ts";
import type { Scratch } from "./scratch.ts";
import { createSlots } from "./slots.ts";

export interface Branches {
  /** Null: the repository is empty, or its HEAD is detached. */
  defaultBranch: string | null;
  has(branch: string): boolean;
  /** Sha of its last commit. */
  head(branch: string): string | null;
}

/** Bare copies of the forge's repositories: every read of every sandbox is served from here. */
export interface Mirror {
  dir(repository: Repository): string;
  /**
   * Makes the mirror as new as the forge was at most `maxAgeMs` ago, creating it if need be. Callers share one
   * comparison. Fails as `not_found`, `forbidden` or `upstream_failed`: a mirror is not served when the forge would
   * no longer show the repository to the hub.
   */
  freshen(repository: Repository, maxAgeMs: number): Promise<Refs>;
  /** The branches, as new as reads are. */
  /** `maxAgeMs`: how old the answer may be; else as old as it may be for clones. */
  branches(repository: Repository, maxAgeMs?: number): Promise<Branches>;
  /**
   * Has the commit's objects there for reads, although no branch may hold it. They get no ref: what nothing refers to stays
   * for two weeks (`git gc`), which is longer than any session. Fails as `not_found` when the forge's ref leads elsewhere.
   */
  bring(repository: Repository, commit: CommitAt): Promise<void>;
  /** Takes over objects and refs that the forge has just accepted. Never fails. */
  adopt(repository: Repository, objectsDir: string, updates: readonly RefUpdate[]): Promise<void>;
  /**
   * To be told what git complained of while it read the mirror. What sounds like damage has the mirror checked before
   * it is next read, and made anew if need be.
   */
  doubt(repository: Repository, complaint: string): void;
  /** Drops it: the hub has nothing more to do with the repository, or it has another name. */
  forget(repository: Repository): Promise<void>;
  scratch: Scratch;
  /** To be called once at start: removes what killed hubs left. */
  sweep(): Promise<void>;
  /** Ends what git does in the mirrors; resolves when nothing does any more. */
  close(): Promise<void>;
}

/** Agents can make git complain of what they like; a check reads the whole mirror. */
const DOUBT_PAUSE_MS = 60_000;

interface Entry {
  /** What the mirror on disk held when it was last compared with the forge, and when the comparison began. */
  known: { refs: Refs; at: number } | null;
  flight: { promise: Promise<Refs>; at: number } | null;
  /** Fetches and adoptions take turns: a fetch that listed the forge's refs before a push would undo its adoption. */
  turn: Promise<unknown>;
  /** Whether the mirror is to be checked, and when it last was. */
  isDoubted: boolean;
  checkedAt: number;
}

export function createMirror(options: {
  /** Holds `<owner>/<name>.git`. */
  dir: string;
  /** GITHUB_SERVER_URL. */
  serverUrl: string;
  credential: ReadCredential;
  /** PATH, and what git needs to reach the forge. */
  environment: Readonly<Record<string, string>>;
  limits: GitLimits;
  clock: Clock;
  log: Logger;
}): Mirror {
  const { limits } = options;
  const entries = new Map<string, Entry>();
  const scratch = createScratch(join(options.dir, ".scratch"));
  const closing = new AbortController();
  const fetches = createSlots({
    max: limits.maxFetches,
    maxWaiting: limits.maxWaiting,
    maxEach: 1,
    maxWaitingEach: 1,
  });
  const store = createMirrorStore({ ...options, scratch, signal: closing.signal });
  const compare = createComparison({
    ...options,
    store,
    fetches,
    signal: closing.signal,
    onFetched: compactLater,
  });
  const compactions = new Map<string, Promise<void>>();
  const now = () => options.clock.now().getTime();

  function entryOf(repository: Repository): Entry {
    const found = entries.get(repository);
    if (found !== undefined) return found;
    const entry = newEntry();
    entries.set(repository, entry);
    return entry;
  }

  function inTurn<Result>(entry: Entry, work: () => Promise<Result>): Promise<Result> {
    const result = entry.turn.then(work);
    entry.turn = result.catch(() => undefined);
    return result;
  }

  async function freshen(repository: Repository, maxAgeMs: number): Promise<Refs> {
    const entry = entryOf(repository);
    const oldest = now() - maxAgeMs;
    for (;;) {
      const { known } = entry;
      if (known !== null && known.at >= oldest && !entry.isDoubted) return known.refs;
      if (entry.flight === null) return await takeOff(repository, entry);
      if (entry.flight.at >= oldest) return await entry.flight.promise;
      // It began before the moment that we ask about. Its failure is told to its own callers.
      await entry.flight.promise.catch(() => undefined);
    }
  }

  function takeOff(repository: Repository, entry: Entry): Promise<Refs> {
    const at = now();
    const promise = inTurn(entry, async () => {
      const { isDoubted } = entry;
      if (isDoubted) entry.checkedAt = now();
      entry.isDoubted = false;
      const refs = await compare(repository, isDoubted).catch((error: unknown) => {
        entry.isDoubted ||= isDoubted;
        throw error;
      });
      entry.known = { refs, at };
      return refs;
    }).finally(() => {
      entry.flight = null;
    });
    entry.flight = { promise, at };
    return promise;
  }

  function compactLater(repository: Repository): void {
    if (compactions.has(repository)) return;
    const compaction = store
      .compact(repository)
      .catch((error: unknown) =>
        options.log.warn({ repository, err: error }, "mirror could not be compacted"),
      )
      .finally(() => compactions.delete(repository));
    compactions.set(repository, compaction);
  }

  return {
    dir: (repository) => store.dir(repository),
    freshen,
    async forget(repository) {
      await inTurn(entryOf(repository), () => store.remove(repository));
      entries.delete(repository);
    },
    async branches(repository, maxAgeMs = limits.mirrorMaxAgeMs) {
      return branchesOf(await freshen(repository, maxAgeMs));
    },
    async bring(repository, { sha, ref }) {
      await freshen(repository, limits.mirrorMaxAgeMs);
      if (await store.has(repository, sha)) return;
      await inTurn(entryOf(repository), () =>
        fetchObjects({ ...options, store, fetches }, repository, ref),
      );
      if (!(await store.has(repository, sha))) throw notFound("Commit");
      compactLater(repository);
    },
    async adopt(repository, objectsDir, updates) {
      const entry = entryOf(repository);
      await inTurn(entry, async () => {
        await store.adopt(repository, objectsDir, updates);
        if (entry.known === null) return;
        const refs = new Map(entry.known.refs.refs);
        for (const { ref, newSha } of updates) refs.set(ref, newSha);
        entry.known = { ...entry.known, refs: { ...entry.known.refs, refs } };
      }).catch((error: unknown) => {
        // The forge has them all the same, so they come with the next comparison.
        entry.known = null;
        options.log.warn({ repository, err: error }, "push could not be taken into the mirror");
      });
      compactLater(repository);
    },
    doubt(repository, complaint) {
      const entry = entryOf(repository);
      if (now() - entry.checkedAt < DOUBT_PAUSE_MS) return;
      entry.isDoubted ||= soundsDamaged(complaint, entry.known?.refs ?? null);
    },
    scratch,
    sweep: () => scratch.sweep(),
    async close() {
      closing.abort();
      const flights = [...entries.values()].map(({ flight }) => flight?.promise);
      await Promise.allSettled([...compactions.values(), ...flights]);
    },
  };
}

function branchesOf({ defaultBranch, refs }: Refs): Branches {
  const head = (branch: string) => refs.get(`refs/heads/${branch}`) ?? null;
  return { defaultBranch, has: (branch) => head(branch) !== null, head };
}

function newEntry(): Entry {
  return {
    known: null,
    flight: null,
    turn: Promise.resolve(),
    isDoubted: false,
    checkedAt: -Infinity,
  };
}

/** Source: git's upload-pack.c. "Not our ref" is an ordinary answer, unless it is one of those that the mirror names. */
function soundsDamaged(complaint: string, known: Refs | null): boolean {
  if (/corruption|not appear to be a git repository|bad config/.test(complaint)) return true;
  const wanted = /not our ref ([0-9a-f]{40})/.exec(complaint)?.[1];
  return wanted !== undefined && known !== null && [...known.refs.values()].includes(wanted);
}
