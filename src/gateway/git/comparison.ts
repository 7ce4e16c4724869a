import type { Logger } from "pino";
import type { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import { readingWith } from "./credentials.ts";
import type { ReadCredential } from "./credentials.ts";
import type { GitLimits } from "./limits.ts";
import type { MirrorStore, Source } from "./mirror-store.ts";
import { GitError } from "./process.ts";
import type { Refs } from "./remote.ts";
import { credentialSettings, forgeError, listRemoteRefs, remoteUrl } from "./remote.ts";
import type { Slots } from "./slots.ts";

/**
 * Compares a mirror with the forge and fetches what differs; answers what the mirror then holds. One that is doubted is
 * checked before.
 */
export type Comparison = (repository: Repository, isDoubted: boolean) => Promise<Refs>;

export function createComparison(options: {
  store: MirrorStore;
  fetches: Slots;
  serverUrl: string;
  credential: ReadCredential;
  limits: GitLimits;
  signal: AbortSignal;
  onFetched(repository: Repository): void;
  log: Logger;
}): Comparison {
  const { store, fetches, limits } = options;

  /** Null: there is no mirror that could be served. */
  async function readChecked(repository: Repository, isDoubted: boolean): Promise<Refs | null> {
    if (!isDoubted || (await store.isWhole(repository))) return await store.read(repository);
    options.log.warn({ repository }, "mirror is damaged and made anew");
    return null;
  }

  async function compare(
    repository: Repository,
    isDoubted: boolean,
    credential: Secret | null,
  ): Promise<Refs> {
    const [remote, local] = await Promise.all([
      listRemoteRefs({
        serverUrl: options.serverUrl,
        repository,
        credential,
        timeoutMs: limits.listTimeoutMs,
        maxBytes: limits.maxListBytes,
        signal: options.signal,
      }),
      readChecked(repository, isDoubted),
    ]);
    if (local !== null && isCurrent(local, remote)) return remote;
    const from = sourceAs(options.serverUrl, repository, credential);
    await fetches
      .run(repository, async () => {
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
    options.onFetched(repository);
    // The forge may have moved on since it listed its refs: what is on disk is what will be served.
    return (await store.read(repository)) ?? remote;
  }

  return (repository, isDoubted) =>
    readingWith(
      (refused) => options.credential(repository, refused),
      (credential) => compare(repository, isDoubted, credential),
    );
}

/** Has the mirror hold what a ref of the forge leads to, without a ref of its own. */
export async function fetchObjects(
  options: {
    store: MirrorStore;
    fetches: Slots;
    serverUrl: string;
    credential: ReadCredential;
  },
  repository: Repository,
  ref: string,
): Promise<void> {
  const { store, fetches, serverUrl } = options;
  await readingWith(
    (refused) => options.credential(repository, refused),
    async (credential) => {
      const from = sourceAs(serverUrl, repository, credential);
      await fetches
        .run(repository, () => store.fetchObjects(repository, from, ref))
        .catch((error: unknown) => {
          throw forgeError(error);
        });
    },
  );
}

/** Where git fetches a repository from, and as whom. */
function sourceAs(serverUrl: string, repository: Repository, credential: Secret | null): Source {
  const settings = credentialSettings(serverUrl, credential);
  return { url: remoteUrl(serverUrl, repository), settings };
}

function isCurrent(local: Refs, remote: Refs): boolean {
  if (remote.defaultBranch !== null && local.defaultBranch !== remote.defaultBranch) return false;
  if (local.refs.size !== remote.refs.size) return false;
  for (const [ref, sha] of local.refs) if (remote.refs.get(ref) !== sha) return false;
  return true;
}
