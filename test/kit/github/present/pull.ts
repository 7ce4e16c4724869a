import { changesBetween } from "../diff.ts";
import { git, tryGit } from "../git.ts";
import type { Issue, Json, Pull, Repository, Review, ReviewComment } from "../state.ts";
import { fullName } from "../world.ts";
import type { World } from "../world.ts";
import { association, nodeId, pageUrl, repositoryUrl, rollup, userBody } from "./people.ts";
import { repositoryBody } from "./repository.ts";
import { labelBody, sharedBody } from "./issue.ts";

type PullIssue = Issue & { pull: Pull };

export function pullSimpleBody(world: World, repository: Repository, issue: PullIssue): Json {
  const { pull } = issue;
  const base = repositoryUrl(world, repository);
  const url = `${base}/pulls/${issue.number}`;
  const issueUrl = `${base}/issues/${issue.number}`;
  const page = `${pageUrl(world, repository)}/pull/${issue.number}`;
  const statuses = `${base}/statuses/${pull.headSha}`;
  const comment = `${base}/pulls/comments{/number}`;
  const links = {
    self: url,
    html: page,
    issue: issueUrl,
    comments: `${issueUrl}/comments`,
    review_comments: `${url}/comments`,
    review_comment: comment,
    commits: `${url}/commits`,
    statuses,
  };
  const linked = Object.entries(links).map(([name, href]) => [name, { href }]);
  return {
    ...sharedBody(world, repository, issue),
    // In the description of lists of pull requests a label's text is never null.
    labels: issue.labels.map((label) => ({
      ...labelBody(world, repository, label),
      description: label.description ?? "",
    })),
    id: pull.id,
    node_id: nodeId("PR", pull.id),
    url,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issueUrl,
    commits_url: links.commits,
    comments_url: links.comments,
    review_comments_url: links.review_comments,
    review_comment_url: comment,
    statuses_url: statuses,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeSha,
    requested_reviewers: pull.requestedReviewers.map((user) => userBody(world, user)),
    requested_teams: [],
    head: endBody(world, pull.headRepository, repository, pull.headRef, pull.headSha),
    base: endBody(world, repository, repository, pull.baseRef, pull.baseSha),
    _links: Object.fromEntries(linked),
    auto_merge: null,
    draft: pull.draft,
  };
}

function endBody(
  world: World,
  repository: Repository | null,
  otherwise: Repository,
  ref: string,
  sha: string,
): Json {
  const { owner } = repository ?? otherwise;
  return {
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: userBody(world, owner),
    repo: repository === null ? null : repositoryBody(world, repository),
  };
}

export async function pullBody(
  world: World,
  repository: Repository,
  issue: PullIssue,
): Promise<Json> {
  const { pull } = issue;
  const files = await changesBetween(repository, pull.baseSha, pull.headSha);
  const commits = await git(repository, "rev-list", "--count", `${pull.baseSha}..${pull.headSha}`);
  const mergeable = await canMerge(repository, issue);
  return {
    ...pullSimpleBody(world, repository, issue),
    merged: pull.mergedAt !== null,
    merged_by: pull.mergedBy === null ? null : userBody(world, pull.mergedBy),
    mergeable,
    rebaseable: false,
    mergeable_state: mergeableState(pull, mergeable),
    comments: repository.comments.filter((comment) => comment.issue === issue).length,
    review_comments: repository.reviewComments.filter((each) => each.issue === issue).length,
    maintainer_can_modify: false,
    commits: Number(commits),
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changed_files: files.length,
  };
}

function mergeableState(pull: Pull, mergeable: boolean | null): string {
  if (mergeable === null) return "unknown";
  if (!mergeable) return "dirty";
  return pull.draft ? "draft" : "clean";
}

async function canMerge(repository: Repository, issue: PullIssue): Promise<boolean | null> {
  if (issue.state === "closed") return null;
  const tip = `refs/heads/${issue.pull.baseRef}`;
  return (await tryGit(repository, "merge-tree", "--write-tree", tip, issue.pull.headSha)) !== null;
}

/** The little that events about checks say of a pull request. */
export function minimalPullBody(world: World, repository: Repository, issue: PullIssue): Json {
  const end = (ref: string, sha: string) => ({
    ref,
    sha,
    repo: {
      id: repository.id,
      url: repositoryUrl(world, repository),
      name: repository.name,
    },
  });
  return {
    id: issue.pull.id,
    number: issue.number,
    url: `${repositoryUrl(world, repository)}/pulls/${issue.number}`,
    head: end(issue.pull.headRef, issue.pull.headSha),
    base: end(issue.pull.baseRef, issue.pull.baseSha),
  };
}

export function reviewBody(world: World, repository: Repository, review: Review): Json {
  const { issue } = review;
  const page = `${world.url}/${fullName(repository)}/pull/${issue.number}`;
  const html = `${page}#pullrequestreview-${review.id}`;
  const pull = `${repositoryUrl(world, repository)}/pulls/${issue.number}`;
  return {
    id: review.id,
    node_id: nodeId("PRR", review.id),
    user: userBody(world, review.user),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pull,
    author_association: association(repository, review.user),
    _links: { html: { href: html }, pull_request: { href: pull } },
    ...(review.submittedAt === null ? {} : { submitted_at: review.submittedAt }),
    commit_id: review.sha,
  };
}

export function reviewCommentBody(world: World, repository: Repository, each: ReviewComment): Json {
  const url = `${repositoryUrl(world, repository)}/pulls/comments/${each.id}`;
  const pull = `${repositoryUrl(world, repository)}/pulls/${each.issue.number}`;
  const html = `${pageUrl(world, repository)}/pull/${each.issue.number}#discussion_r${each.id}`;
  return {
    id: each.id,
    node_id: nodeId("PRRC", each.id),
    url,
    pull_request_review_id: each.review.id,
    diff_hunk: each.hunk,
    path: each.path,
    position: each.line === null ? null : 1,
    original_position: 1,
    commit_id: each.sha,
    original_commit_id: each.originalSha,
    user: userBody(world, each.user),
    body: each.body,
    created_at: each.createdAt,
    updated_at: each.updatedAt,
    html_url: html,
    pull_request_url: pull,
    author_association: association(repository, each.user),
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: pull } },
    start_line: each.startLine,
    original_start_line: each.startLine,
    start_side: each.startSide,
    line: each.line,
    original_line: each.originalLine,
    side: each.side,
    subject_type: each.subject,
    reactions: rollup(`${url}/reactions`, each.reactions),
    ...(each.inReplyTo === null ? {} : { in_reply_to_id: each.inReplyTo }),
  };
}

export function isPull(issue: Issue): issue is PullIssue {
  return issue.pull !== null;
}

export type { PullIssue };
