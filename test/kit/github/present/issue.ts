import type { Comment, Issue, IssueEvent, Json, Label, Repository } from "../state.ts";
import type { World } from "../world.ts";
import {
  appBody,
  association,
  nodeId,
  pageUrl,
  repositoryUrl,
  rollup,
  userBody,
} from "./people.ts";

export function labelBody(world: World, repository: Repository, label: Label): Json {
  return {
    id: label.id,
    node_id: nodeId("LA", label.id),
    url: `${repositoryUrl(world, repository)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description,
  };
}

export function issueBody(world: World, repository: Repository, issue: Issue): Json {
  const base = repositoryUrl(world, repository);
  const page = pageUrl(world, repository);
  const url = `${base}/issues/${issue.number}`;
  const pullPage = `${page}/pull/${issue.number}`;
  const pull = {
    url: `${base}/pulls/${issue.number}`,
    html_url: pullPage,
    diff_url: `${pullPage}.diff`,
    patch_url: `${pullPage}.patch`,
    merged_at: issue.pull?.mergedAt ?? null,
  };
  return {
    ...sharedBody(world, repository, issue),
    id: issue.id,
    node_id: nodeId("I", issue.id),
    url,
    repository_url: base,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: issue.pull === null ? `${page}/issues/${issue.number}` : pullPage,
    state_reason: issue.stateReason,
    comments: repository.comments.filter((comment) => comment.issue === issue).length,
    reactions: rollup(`${url}/reactions`, issue.reactions),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: issue.app === null ? null : appBody(world, issue.app),
    ...(issue.pull === null ? {} : { draft: issue.pull.draft, pull_request: pull }),
  };
}

/** What issues and pull requests have in common. */
export function sharedBody(world: World, repository: Repository, issue: Issue): Json {
  const assignees = issue.assignees.map((user) => userBody(world, user));
  return {
    number: issue.number,
    title: issue.title,
    body: issue.body === "" ? null : issue.body,
    user: userBody(world, issue.user),
    labels: issue.labels.map((label) => labelBody(world, repository, label)),
    state: issue.state,
    locked: issue.locked,
    active_lock_reason: null,
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    author_association: association(repository, issue.user),
  };
}

export function commentBody(world: World, repository: Repository, comment: Comment): Json {
  const url = `${repositoryUrl(world, repository)}/issues/comments/${comment.id}`;
  const kind = comment.issue.pull === null ? "issues" : "pull";
  const page = `${pageUrl(world, repository)}/${kind}/${comment.issue.number}`;
  return {
    id: comment.id,
    node_id: nodeId("IC", comment.id),
    url,
    html_url: `${page}#issuecomment-${comment.id}`,
    issue_url: `${repositoryUrl(world, repository)}/issues/${comment.issue.number}`,
    user: userBody(world, comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: association(repository, comment.user),
    reactions: rollup(`${url}/reactions`, comment.reactions),
    performed_via_github_app: comment.app === null ? null : appBody(world, comment.app),
  };
}

export function eventBody(world: World, repository: Repository, event: IssueEvent): Json {
  return {
    id: event.id,
    node_id: nodeId("EV", event.id),
    url: `${repositoryUrl(world, repository)}/issues/events/${event.id}`,
    actor: userBody(world, event.actor),
    event: event.event,
    commit_id: null,
    commit_url: null,
    created_at: event.createdAt,
    performed_via_github_app: null,
    ...event.more,
  };
}
