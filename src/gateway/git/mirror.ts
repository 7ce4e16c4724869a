import { join } from "node:path";
import type { Logger } from "pino";
import type { Clock } from "../../core/clock.ts";
import type { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import type { GitLimits } from "./limits.ts";
import { createMirrorStore } from "./mirror-store.ts";
import { GitError } from "./process.ts";
import type { Refs } from "./remote.ts";
import { credentialSettings, forgeError, listRemoteRefs, remoteUrl } from "./remote.ts";
import { createScratch } from "./scratch.ts";
import type { Scratch } from "./scratch.ts";
import { createSlots } from "./slots.ts";

export interface RefUpdate {
  ref: string;
  oldSha: string;
  newSha: string;
}

export interface Branches {
  /** Null: the repository is empty, or its HEAD is detached. */
  defaultBranch: string | null;
  has(branch: string): boolean;
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
  branches(repository: Repository): Promise<Branches>;
  /** Takes over objects and refs that the forge has just accepted. */
  adopt(repository: Repository, objectsDir: string, updates: readonly RefUpdate[]): Promise<void>;
  scratch: Scratch;
  /** To be called once at start: removes what killed hubs left. */
  sweep(): Promise<void>;
  /** Resolves when no background compaction runs. */
  idle(): Promise<void>;
}

interface Entry {
  /** What the mirror on disk held when it was last compared with the forge, and when the comparison began. */
  known: { refs: Refs; at: number } | null;
  flight: { promise: Promise<Refs>; at: number } | null;
  /** Fetches and adoptions take turns: a fetch that listed the forge's refs before a push would undo its adoption. */
  turn: Promise<unknown>;
}

export function createMirror(options: {
  /** Holds `<owner>/<name>.git`. */
  dir: string;
  /** GITHUB_SERVER_URL. */
  serverUrl: string;
  credential(repository: Repository): Promise<Secret | null>;
  /** PATH, and what git needs to reach the forge. */
  environment: Readonly<Record<string, string>>;
  limits: GitLimits;
  clock: Clock;
  log: Logger;
}): Mirror {
  const { limits } = options;
  const entries = new Map<string, Entry>();
  const scratch = createScratch(join(options.dir, ".scratch"));
  const fetches = createSlots({ max: limits.maxFetches, maxWaiting: limits.maxWaiting });
  const store = createMirrorStore({ ...options, scratch });
  const compactions = new Map<string, Promise<void>>();
  const now = () => options.clock.now().getTime();

  function entryOf(repository: Repository): Entry {
    const found = entries.get(repository);
    if (found !== undefined) return found;
    const entry: Entry = { known: null, flight: null, turn: Promise.resolve() };
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
      if (entry.known !== null && entry.known.at >= oldest) return entry.known.refs;
      if (entry.flight === null) return await takeOff(repository, entry);
      if (entry.flight.at >= oldest) return await entry.flight.promise;
      // It began before the moment that we ask about. Its failure is told to its own callers.
      await entry.flight.promise.catch(() => undefined);
    }
  }

  function takeOff(repository: Repository, entry: Entry): Promise<Refs> {
    const at = now();
    const promise = inTurn(entry, async () => {
      const refs = await compare(repository);
      entry.known = { refs, at };
      return refs;
    }).finally(() => {
      entry.flight = null;
    });
    entry.flight = { promise, at };
    return promise;
  }

  async function compare(repository: Repository): Promise<Refs> {
    const credential = await options.credential(repository);
    const [remote, local] = await Promise.all([
      listRemoteRefs({
        serverUrl: options.serverUrl,
        repository,
        credential,
        timeoutMs: limits.listTimeoutMs,
        maxBytes: limits.maxListBytes,
      }),
      store.read(repository),
    ]);
    if (local !== null && isCurrent(local, remote)) return remote;
    const settings = credentialSettings(options.serverUrl, credential);
    const from = { url: remoteUrl(options.serverUrl, repository), settings };
    await fetches
      .run(async () => {
        if (local === null) return await store.create(repository, from, remote.defaultBranch);
        await store.update(repository, from, remote.defaultBranch).catch(async (error: unknown) => {
          if (!(error instanceof GitError) || !store.isDamage(error)) throw error;
          options.log.warn({ repository, err: error }, "mirror is damaged and made anew");
          await store.create(repository, from, remote.defaultBranch);
        });
      })
      .catch((error: unknown) => {
        throw forgeError(error);
      });
    compactLater(repository);
    // The forge may have moved on since it listed its refs: what is on disk is what will be served.
    return (await store.read(repository)) ?? remote;
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
    async branches(repository) {
      const { defaultBranch, refs } = await freshen(repository, limits.mirrorMaxAgeMs);
      return { defaultBranch, has: (branch) => refs.has(`refs/heads/${branch}`) };
    },
    async adopt(repository, objectsDir, updates) {
      const entry = entryOf(repository);
      await inTurn(entry, async () => {
        await store.adopt(repository, objectsDir, updates);
        if (entry.known === null) return;
        const refs = new Map(entry.known.refs.refs);
        for (const { ref, newSha } of updates) refs.set(ref, newSha);
        entry.known = { ...entry.known, refs: { ...entry.known.refs, refs } };
      });
      compactLater(repository);
    },
    scratch,
    sweep: () => scratch.sweep(),
    async idle() {
      await Promise.all(compactions.values());
    },
  };
}

function isCurrent(local: Refs, remote: Refs): boolean {
  if (remote.defaultBranch !== null && local.defaultBranch !== remote.defaultBranch) return false;
  if (local.refs.size !== remote.refs.size) return false;
  for (const [ref, sha] of local.refs) if (remote.refs.get(ref) !== sha) return false;
  return true;
}
