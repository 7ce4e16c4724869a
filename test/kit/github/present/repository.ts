import type { CommitInfo } from "../git.ts";
import { fullName } from "../world.ts";
import type { World } from "../world.ts";
import type { Json, Repository } from "../state.ts";
import { nodeId, pageUrl, repositoryUrl, userBody } from "./people.ts";

/** URL templates that every body of a repository has. */
const TEMPLATES: Record<string, string> = {
  archive_url: "/{archive_format}{/ref}",
  assignees_url: "/assignees{/user}",
  blobs_url: "/git/blobs{/sha}",
  branches_url: "/branches{/branch}",
  collaborators_url: "/collaborators{/collaborator}",
  comments_url: "/comments{/number}",
  commits_url: "/commits{/sha}",
  compare_url: "/compare/{base}...{head}",
  contents_url: "/contents/{+path}",
  contributors_url: "/contributors",
  deployments_url: "/deployments",
  downloads_url: "/downloads",
  events_url: "/events",
  forks_url: "/forks",
  git_commits_url: "/git/commits{/sha}",
  git_refs_url: "/git/refs{/sha}",
  git_tags_url: "/git/tags{/sha}",
  hooks_url: "/hooks",
  issue_comment_url: "/issues/comments{/number}",
  issue_events_url: "/issues/events{/number}",
  issues_url: "/issues{/number}",
  keys_url: "/keys{/key_id}",
  labels_url: "/labels{/name}",
  languages_url: "/languages",
  merges_url: "/merges",
  milestones_url: "/milestones{/number}",
  notifications_url: "/notifications{?since,all,participating}",
  pulls_url: "/pulls{/number}",
  releases_url: "/releases{/id}",
  stargazers_url: "/stargazers",
  statuses_url: "/statuses/{sha}",
  subscribers_url: "/subscribers",
  subscription_url: "/subscription",
  tags_url: "/tags",
  teams_url: "/teams",
  trees_url: "/git/trees{/sha}",
};

export function repositoryBody(world: World, repository: Repository): Json {
  const url = repositoryUrl(world, repository);
  const page = pageUrl(world, repository);
  const open = repository.issues.filter((issue) => issue.state === "open").length;
  const urls = Object.entries(TEMPLATES).map(([key, path]) => [key, url + path]);
  return {
    ...Object.fromEntries(urls),
    id: repository.id,
    node_id: nodeId("R", repository.id),
    name: repository.name,
    full_name: fullName(repository),
    owner: userBody(world, repository.owner),
    private: repository.private,
    html_url: page,
    description: null,
    fork: repository.parent !== null,
    url,
    clone_url: `${page}.git`,
    git_url: `${page}.git`,
    ssh_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 1,
    has_issues: true,
    has_projects: true,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
    is_template: false,
    topics: [],
    allow_forking: true,
    web_commit_signoff_required: false,
    default_branch: repository.defaultBranch,
    open_issues: open,
    open_issues_count: open,
    archived: repository.archived,
    disabled: false,
    visibility: repository.private ? "private" : "public",
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
    pushed_at: repository.pushedAt,
  };
}

export function fullRepositoryBody(world: World, repository: Repository): Json {
  const { parent } = repository;
  return {
    ...repositoryBody(world, repository),
    network_count: 0,
    subscribers_count: 0,
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_rebase_merge: false,
    ...(parent === null ? {} : { parent: repositoryBody(world, parent) }),
  };
}

/** Few enough fields for lists in events about installations. */
export function shortRepositoryBody(repository: Repository): Json {
  return {
    id: repository.id,
    node_id: nodeId("R", repository.id),
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
  };
}

export function commitBody(world: World, repository: Repository, commit: CommitInfo): Json {
  const url = `${repositoryUrl(world, repository)}/commits/${commit.sha}`;
  const page = `${pageUrl(world, repository)}/commit`;
  return {
    sha: commit.sha,
    node_id: `C_${commit.sha}`,
    url,
    html_url: `${page}/${commit.sha}`,
    comments_url: `${url}/comments`,
    commit: {
      url: `${repositoryUrl(world, repository)}/git/commits/${commit.sha}`,
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: {
        sha: commit.tree,
        url: `${repositoryUrl(world, repository)}/git/trees/${commit.tree}`,
      },
      comment_count: 0,
      verification: {
        verified: false,
        reason: "unsigned",
        signature: null,
        payload: null,
        verified_at: null,
      },
    },
    author: authorOf(world, commit),
    committer: null,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${repositoryUrl(world, repository)}/commits/${sha}`,
      html_url: `${page}/${sha}`,
    })),
  };
}

/** GitHub knows an author by the address of the commit. */
function authorOf(world: World, commit: CommitInfo): Json | null {
  const name = /^(?:\d+\+)?(.+)@users\.noreply\./.exec(commit.author.email)?.[1];
  const user = world.users.find((each) => each.login === name);
  return user === undefined ? null : userBody(world, user);
}

/** A commit as webhooks and check suites show it. */
export function simpleCommitBody(commit: CommitInfo): Json {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: commit.author.date,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
  };
}
