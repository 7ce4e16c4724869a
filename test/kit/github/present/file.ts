import type { FileChange } from "../diff.ts";
import type { Json, Repository } from "../state.ts";
import type { World } from "../world.ts";
import { pageUrl, repositoryUrl } from "./people.ts";

export function fileBody(
  world: World,
  repository: Repository,
  head: string,
  file: FileChange,
): Json {
  const at = `${head}/${file.path}`;
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${pageUrl(world, repository)}/blob/${at}`,
    raw_url: `${pageUrl(world, repository)}/raw/${at}`,
    contents_url: `${repositoryUrl(world, repository)}/contents/${file.path}?ref=${head}`,
    ...(file.patch === null ? {} : { patch: file.patch }),
    ...(file.previousPath === null ? {} : { previous_filename: file.previousPath }),
  };
}
