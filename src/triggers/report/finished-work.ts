import { HubError } from "../../core/errors.ts";
import type { Forge } from "../../forge/forge.ts";
import { cut, neutralise } from "./neutralise.ts";
import { signedBody, TITLE_CHARS } from "./pull-request-text.ts";

const BODY_CHARS = 50_000;

/** Opens one pull request for the work of several sessions, or finds the one that is open; null: there is no difference. */
export async function openFinishedWork(
  forge: Forge,
  work: {
    repository: string;
    branch: string;
    base: string | null;
    title: string;
    body: string;
    /** On which thread, and by whom; null: by other ways. */
    asked: { number: number; asker: { login: string } } | null;
  },
): Promise<string | null> {
  const repository = forge.repository(work.repository);
  const open = await repository.pullRequestOf(work.branch);
  if (open !== null) return open.url;
  const base = work.base ?? (await repository.facts()).defaultBranch;
  const title = neutralise(work.title, TITLE_CHARS).replaceAll("\n", " ");
  const body = neutralise(work.body, BODY_CHARS);
  const { asked } = work;
  try {
    const made = await repository.openPullRequest({
      head: work.branch,
      base,
      title: cut(title, TITLE_CHARS) || `Work on ${work.branch}`,
      body:
        asked === null
          ? body
          : signedBody({ body, number: asked.number, asker: asked.asker.login }),
      isDraft: true,
    });
    return made.url;
  } catch (error) {
    // The branch changes nothing, as the forge sees it.
    if (error instanceof HubError && error.code === "invalid_request") return null;
    throw error;
  }
}
