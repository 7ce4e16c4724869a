import { mkdir, readFile, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Repository } from "../../core/repository.ts";
import type { GitLimits } from "./limits.ts";
import { withLocks } from "./locks.ts";
import { GitError, gitEnvironment, runGit } from "./process.ts";
import type { Setting } from "./process.ts";
import type { Refs } from "./remote.ts";
import type { Scratch } from "./scratch.ts";

export interface RefUpdate {
  ref: string;
  oldSha: string;
  newSha: string;
}

export interface Source {
  url: string;
  /** The credential, as settings of this one command. */
  settings: Setting[];
}

/** Mirrors on disk. Nothing here asks whether it should be done; `createMirror` does. */
export interface MirrorStore {
  dir(repository: Repository): string;
  /** Null: there is no mirror, or none that git can read. */
  read(repository: Repository): Promise<Refs | null>;
  create(repository: Repository, from: Source, defaultBranch: string | null): Promise<void>;
  update(repository: Repository, from: Source, defaultBranch: string | null): Promise<void>;
  /** Without a ref of our own to them. */
  fetchObjects(repository: Repository, from: Source, ref: string): Promise<void>;
  has(repository: Repository, sha: string): Promise<boolean>;
  /** Whether a fetch failed because of what it found here. */
  isDamage(error: GitError): boolean;
  isWhole(repository: Repository): Promise<boolean>;
  adopt(repository: Repository, objectsDir: string, updates: readonly RefUpdate[]): Promise<void>;
  compact(repository: Repository): Promise<void>;
  remove(repository: Repository): Promise<void>;
}

const FETCH_FLAGS = [
  "--quiet",
  "--no-tags",
  "--no-write-fetch-head",
  "--no-auto-maintenance",
  "--no-recurse-submodules",
];

export function createMirrorStore(options: {
  dir: string;
  environment: Readonly<Record<string, string>>;
  limits: GitLimits;
  scratch: Scratch;
  /** Ends every command. */
  signal: AbortSignal;
}): MirrorStore {
  const { limits } = options;
  const dir = (repository: Repository) => join(options.dir, `${repository}.git`);

  function git(
    gitDir: string,
    args: string[],
    more: { settings?: Setting[]; input?: string } = {},
  ) {
    const isLong = ["fetch", "fsck", "gc"].includes(args[0] ?? "");
    return runGit({
      args,
      env: { ...gitEnvironment(options.environment, more.settings), GIT_DIR: gitDir },
      signal: options.signal,
      timeoutMs: isLong ? limits.transferTimeoutMs : limits.commandTimeoutMs,
      ...(more.input === undefined ? {} : { input: more.input }),
    });
  }

  async function fetchInto(gitDir: string, from: Source, defaultBranch: string | null) {
    await git(
      gitDir,
      [
        "fetch",
        ...FETCH_FLAGS,
        "--prune",
        from.url,
        "+refs/heads/*:refs/heads/*",
        "+refs/tags/*:refs/tags/*",
      ],
      { settings: from.settings },
    );
    if (defaultBranch !== null)
      await git(gitDir, ["symbolic-ref", "HEAD", `refs/heads/${defaultBranch}`]);
  }

  return {
    dir,
    async read(repository) {
      const gitDir = dir(repository);
      const head = await readFile(join(gitDir, "HEAD"), "utf8").catch(() => null);
      if (head === null) return null;
      try {
        const { stdout } = await git(gitDir, ["for-each-ref", "--format=%(objectname) %(refname)"]);
        const lines = stdout.split("\n").filter((line) => line !== "");
        const refs = new Map(
          lines.map((line) => [line.slice(41), line.slice(0, 40)] satisfies [string, string]),
        );
        return { defaultBranch: bornBranch(head, refs), refs };
      } catch (error) {
        if (error instanceof GitError) return null;
        throw error;
      }
    },
    async create(repository, from, defaultBranch) {
      await options.scratch.with(async (place) => {
        const fresh = join(place, "mirror.git");
        await git(fresh, ["init", "--quiet", "--bare", "--template=", "--initial-branch=main"]);
        await fetchInto(fresh, from, defaultBranch);
        await mkdir(dirname(dir(repository)), { recursive: true });
        await replace(fresh, dir(repository), join(place, "old.git"));
      });
    },
    async update(repository, from, defaultBranch) {
      const gitDir = dir(repository);
      await withLocks(gitDir, limits.staleLockMs, () => fetchInto(gitDir, from, defaultBranch));
    },
    async fetchObjects(repository, from, ref) {
      const gitDir = dir(repository);
      await git(gitDir, ["fetch", ...FETCH_FLAGS, from.url, ref], { settings: from.settings });
    },
    async has(repository, sha) {
      try {
        await git(dir(repository), ["cat-file", "-e", `${sha}^{commit}`]);
        return true;
      } catch (error) {
        if (error instanceof GitError) return false;
        throw error;
      }
    },
    isDamage(error) {
      return /bad (?:object|config)|corrupt|not a git repository|unable to read|broken|missing blob|invalid sha1|did not send all necessary/i.test(
        error.stderr,
      );
    },
    async isWhole(repository) {
      const gitDir = dir(repository);
      try {
        await git(gitDir, ["fsck", "--no-dangling", "--no-progress"]);
        return true;
      } catch (error) {
        if (error instanceof GitError) return false;
        throw error;
      }
    },
    async adopt(repository, objectsDir, updates) {
      const gitDir = dir(repository);
      await moveObjects(objectsDir, join(gitDir, "objects"));
      for (const { ref, oldSha, newSha } of updates)
        await withLocks(gitDir, limits.staleLockMs, () =>
          git(gitDir, ["update-ref", ref, newSha, oldSha]),
        ).catch((error: unknown) => {
          // A fetch was faster and brought this value or a newer one.
          if (!(error instanceof GitError) || !error.stderr.includes("but expected")) throw error;
        });
    },
    remove: async (repository) => await rm(dir(repository), { recursive: true, force: true }),
    async compact(repository) {
      const gitDir = dir(repository);
      const packs = (await readdir(join(gitDir, "objects", "pack")).catch(() => [])).filter(
        (name) => name.endsWith(".pack"),
      );
      // git's own lock (gc.pid) keeps a second hub from doing the same; objects stay for two weeks after they lost
      // their last ref, so nothing that a running fetch or push relies on goes.
      if (packs.length > limits.maxPacks) await git(gitDir, ["gc", "--quiet"]);
    },
  };
}

function bornBranch(head: string, refs: ReadonlyMap<string, string>): string | null {
  const branch = /^ref: refs\/heads\/(.+)$/m.exec(head)?.[1];
  return branch !== undefined && refs.has(`refs/heads/${branch}`) ? branch : null;
}

/** Puts a finished mirror in its place. When another hub was faster, its mirror is as good, and ours is dropped. */
async function replace(fresh: string, place: string, trash: string): Promise<void> {
  await rename(place, trash).catch(ignore("ENOENT"));
  await rename(fresh, place).catch(ignore("ENOTEMPTY", "EEXIST"));
}

/** An index makes its pack visible, so it goes last. */
async function moveObjects(from: string, to: string): Promise<void> {
  const names = await readdir(join(from, "pack")).catch(() => []);
  const inOrder = names.toSorted((a, b) => Number(a.endsWith(".idx")) - Number(b.endsWith(".idx")));
  for (const name of inOrder.filter((one) => /^pack-\w+\.(pack|rev|idx)$/.test(one)))
    await rename(join(from, "pack", name), join(to, "pack", name));
  await rm(from, { recursive: true, force: true });
}

function ignore(...codes: string[]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Error && "code" in error && codes.includes(String(error.code))))
      throw error;
  };
}
