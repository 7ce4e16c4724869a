import type { Logger } from "pino";
import { HubError } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import { faultSentence, readRepositoryFile } from "../../core/repository-file.ts";
import {
  NO_REPOSITORY_SETTINGS,
  REPOSITORY_SETTINGS_BYTES as MAX_BYTES,
  REPOSITORY_SETTINGS_PATH as PATH,
} from "../../core/repository-settings.ts";
import type { RepositorySettings } from "../../core/repository-settings.ts";
import type { Mirror } from "./mirror.ts";
import { gitEnvironment, runGit } from "./process.ts";

const MAX_AGE_MS = 60_000;
const MAX_KNOWN = 1_000;
const GIT_MS = 10_000;

/** What a repository's file says, and one sentence why nothing of it counts although there is one. */
export interface ReadSettings {
  settings: RepositorySettings;
  fault: string | null;
  /** Why nobody can know by now what it says: the forge is away. */
  away: HubError | null;
}
/** @param maxAgeMs How old the answer may be; a minute, unless something is said. */
export type RepositorySettingsReader = (
  repository: Repository,
  maxAgeMs?: number,
) => Promise<ReadSettings>;

const NONE: ReadSettings = { settings: NO_REPOSITORY_SETTINGS, fault: null, away: null };

/**
 * Reads a repository's settings, from its default branch alone: the branch that a session works on, or that anybody else
 * may have pushed, has no say. A file that does not fit says nothing at all.
 */
export function createRepositorySettings(options: {
  mirror: Pick<Mirror, "dir" | "freshen">;
  environment: Readonly<Record<string, string>>;
  log: Logger;
}): RepositorySettingsReader {
  const known = new Map<Repository, { sha: string; read: ReadSettings }>();

  async function git(repository: Repository, args: string[]): Promise<string> {
    const env = { ...gitEnvironment(options.environment), GIT_DIR: options.mirror.dir(repository) };
    const run = { args, env, timeoutMs: GIT_MS, maxOutputBytes: 2 * MAX_BYTES };
    return (await runGit(run)).stdout;
  }

  async function read(repository: Repository, sha: string): Promise<ReadSettings> {
    const entry = await git(repository, ["ls-tree", "-l", sha, "--", PATH]);
    // A link, or a directory, is not this file.
    const [, object, size] = /^100(?:644|755) blob (\w+) +(\d+)\t/.exec(entry) ?? [];
    if (object === undefined) return NONE;
    if (Number(size) > MAX_BYTES) return faulty(`${PATH} is too large`);
    return await parse(await git(repository, ["cat-file", "blob", object]));
  }

  return async (repository, maxAgeMs = MAX_AGE_MS) => {
    try {
      const { defaultBranch, refs } = await options.mirror.freshen(repository, maxAgeMs);
      const sha = refs.get(`refs/heads/${defaultBranch}`);
      if (sha === undefined) return NONE;
      const found = known.get(repository);
      if (found?.sha === sha) return found.read;
      const fresh = await read(repository, sha);
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(repository, { sha, read: fresh });
      return fresh;
    } catch (error) {
      options.log.warn({ repository, err: error }, "settings of a repository cannot be read");
      const reason = error instanceof HubError ? error : null;
      const why = reason === null ? "" : `: ${reason.message}`;
      const away = reason?.code === "upstream_failed" ? reason : null;
      return { ...faulty(`${PATH} cannot be read${why}`), away };
    }
  };
}

async function parse(text: string): Promise<ReadSettings> {
  const { settings, faults } = await readRepositoryFile(text);
  return { settings, fault: faultSentence(faults), away: null };
}

function faulty(fault: string): ReadSettings {
  return { ...NONE, fault };
}

/** For who can wait: throws `upstream_failed` while the forge is away. */
export function unlessAway(read: ReadSettings): ReadSettings {
  if (read.away !== null) throw read.away;
  return read;
}
