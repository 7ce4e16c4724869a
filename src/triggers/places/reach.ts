import { HubError } from "../../core/errors.ts";
import type { Forge, RepositoryFacts } from "../../forge/forge.ts";
import type { GitHubForge } from "../../forge/github/github.ts";
import type { Repository } from "../../core/repository.ts";
import { stopWork } from "../closed.ts";
import type { Work } from "../closed.ts";
import type { Intention } from "../rule.ts";
import type { PlaceDeps } from "./place.ts";

const OUT_OF_REACH = new Set(["not_found", "forbidden", "invalid_request"]);

/** What is known of a repository; null: it is gone, or the bot may not be there. A delivery may be old, so it is asked. */
export async function reach(
  forge: Pick<Forge, "repository">,
  name: Repository,
): Promise<RepositoryFacts | null> {
  try {
    return await forge.repository(name).facts();
  } catch (error) {
    if (error instanceof HubError && OUT_OF_REACH.has(error.code)) return null;
    throw error;
  }
}

/** Whether GitHub gives a token for it now; a person's token is good wherever it is. */
export async function isWanted(
  forge: Pick<GitHubForge, "token">,
  repository: Repository,
): Promise<boolean> {
  try {
    await forge.token(repository, { metadata: "read" }, true);
    return true;
  } catch (error) {
    if (error instanceof HubError && !error.retryable) return false;
    throw error;
  }
}

/** Ends sessions that were asked for where nothing can be done any more, and drops what is kept of those repositories. */
export function ends(
  deps: PlaceDeps,
  sessions: readonly Work[],
  dropped: readonly Repository[],
  why: string,
): Intention {
  return {
    would: `ends ${sessions.length} sessions, since ${why}`,
    async act() {
      let count = 0;
      for (const work of sessions) count += await stopWork(deps, work);
      for (const name of dropped) await deps.forget(name);
      return { state: "done", outcome: `${count} sessions are ended, since ${why}` };
    },
  };
}
