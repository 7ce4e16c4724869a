import type { Permission } from "../core/permission.ts";
import type { Repository } from "../core/repository.ts";

/** An account of the forge; ids stay when logins change. */
export interface Account {
  id: number;
  login: string;
  isBot: boolean;
}

export interface RepositoryFacts {
  id: number;
  name: Repository;
  defaultBranch: string;
  isArchived: boolean;
}

export type ThreadState = "open" | "closed" | "merged";

/** An issue, or a pull request seen as one. */
export interface Issue {
  number: number;
  isPullRequest: boolean;
  title: string;
  body: string;
  author: Account;
  /** How the author belongs to the repository: OWNER, MEMBER, COLLABORATOR, CONTRIBUTOR, NONE … */
  association: string;
  state: ThreadState;
  isLocked: boolean;
  labels: string[];
  assignees: Account[];
  url: string;
  createdAt: string;
  updatedAt: string;
}

export interface PullRequest {
  number: number;
  title: string;
  body: string;
  author: Account;
  state: ThreadState;
  isDraft: boolean;
  isLocked: boolean;
  labels: string[];
  url: string;
  head: { sha: string; branch: string; repository: Repository | null };
  base: { sha: string; branch: string };
  /** The head is in another repository than the base. */
  isFork: boolean;
}

/** A comment on a thread, or on lines of a pull request's difference. */
export interface Comment {
  id: number;
  kind: "thread" | "line";
  body: string;
  author: Account;
  association: string;
  url: string;
  createdAt: string;
  updatedAt: string;
  /** Of a comment on lines; `inReplyTo` is the first one of its conversation. */
  line: { path: string; line: number | null; diffHunk: string; inReplyTo: number | null } | null;
}

export interface Review {
  id: number;
  author: Account;
  association: string;
  body: string;
  state: "approved" | "changes_requested" | "commented" | "dismissed" | "pending";
  sha: string;
  url: string;
  submittedAt: string | null;
}

export interface ChangedFile {
  path: string;
  status: string;
  additions: number;
  deletions: number;
  /** Hunks of the unified difference; null when the forge does not give them (binary, too large). */
  patch: string | null;
}

/** One check or commit status of a commit. */
export interface Check {
  name: string;
  /** The App that made it; null for a commit status. */
  appId: number | null;
  state: "waiting" | "passed" | "failed";
  /** The forge's own word: success, neutral, skipped, failure, timed_out … */
  conclusion: string | null;
  /** The workflow run behind it, when it has one. */
  workflowRunId: number | null;
  workflowName: string | null;
  jobId: number | null;
  url: string | null;
}

export interface Label {
  name: string;
  description: string;
}

/** A label that was put on an issue, or taken away. */
export interface LabelChange {
  kind: "added" | "removed";
  label: string;
  actor: Account;
  at: string;
}

export type Reaction = "eyes" | "rocket" | "hooray" | "confused" | "+1" | "-1";
/** What a reaction is on. */
export type ReactionTarget =
  | { kind: "thread"; number: number }
  | { kind: "comment"; id: number }
  | { kind: "lineComment"; id: number };

export interface ReviewDraft {
  number: number;
  /** What was looked at; the review is refused when the forge does not know it any more. */
  sha: string;
  body: string;
  verdict: "comment" | "approve" | "request_changes";
  comments: {
    path: string;
    line: number;
    startLine?: number;
    side: "LEFT" | "RIGHT";
    body: string;
  }[];
}

export interface CheckDraft {
  name: string;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  conclusion?: "success" | "failure" | "neutral" | "cancelled" | "action_required" | "timed_out";
  title: string;
  summary: string;
  detailsUrl?: string;
  annotations?: {
    path: string;
    startLine: number;
    endLine: number;
    level: "notice" | "warning" | "failure";
    message: string;
  }[];
  /** Buttons; GitHub shows up to three, with labels of 20, descriptions of 40 and identifiers of 20 characters. */
  actions?: { label: string; description: string; identifier: string }[];
}

export interface PullRequestDraft {
  head: string;
  base: string;
  title: string;
  body: string;
  isDraft: boolean;
}

/**
 * What the hub reads and writes at a forge, as the bot.
 *
 * Everything throws `HubError`: `not_found` (gone, or not for the bot to see), `forbidden` (locked, archived, a right is
 * missing), `invalid_request` (the forge does not take it), `rate_limited` with `retryAfterSeconds`, `upstream_failed`
 * (down, slow, broken) which is worth another try.
 *
 * A write takes a `key`: who writes again with the same key, after whatever crash, finds what was written then.
 */
export interface Forge {
  /** The bot's account, and the id of the App that it is (null: a personal token). */
  self(): Promise<{ account: Account; appId: number | null }>;
  repository(name: Repository): ForgeRepository;
}

/** One try to deliver something. */
export interface Sent {
  id: string;
  /** The same for each try. */
  deliveryId: string;
  deliveredAt: Date;
  state: "arrived" | "failed" | "on its way";
}

/** Something at the forge that sends deliveries, and remembers for three days what it has sent. */
export interface ForgeHook {
  name: string;
  /** Whether it can send to nobody but this hub. */
  isOwn: boolean;
  /** The newest first. */
  sent(cursor: string | null): Promise<{ sent: Sent[]; next: string | null }>;
  whole(id: string): Promise<{ event: string; payload: Record<string, unknown> }>;
}

export interface ForgeRepository extends ForgeReads, ForgeWrites {}

interface ForgeReads {
  facts(): Promise<RepositoryFacts>;
  /** Of somebody on this repository. */
  permissionOf(login: string): Promise<Permission>;
  issue(number: number): Promise<Issue>;
  pullRequest(number: number): Promise<PullRequest>;
  /** Open pull requests whose head is this commit. */
  pullRequestsAt(sha: string): Promise<PullRequest[]>;
  /** The open pull request of a branch of this repository. */
  pullRequestOf(branch: string): Promise<PullRequest | null>;
  comment(id: number): Promise<Comment>;
  lineComment(id: number): Promise<Comment>;
  review(number: number, id: number): Promise<Review>;
  /** Of one review. */
  reviewComments(number: number, reviewId: number): Promise<Comment[]>;
  /** Oldest first; at most `limit` of the newest. */
  comments(number: number, limit: number): Promise<Comment[]>;
  lineComments(number: number, limit: number): Promise<Comment[]>;
  reviews(number: number): Promise<Review[]>;
  files(number: number): Promise<ChangedFile[]>;
  checks(sha: string): Promise<Check[]>;
  labels(): Promise<Label[]>;
  /** What happened to the labels of an issue, oldest first. */
  labelChanges(number: number): Promise<LabelChange[]>;
  /** Who put the labels on that an issue bears, by label. */
  labelers(number: number): Promise<Map<string, Account>>;
  /**
   * A file at a commit or branch (null: the default branch); null: there is none. `text` is null when it is larger than
   * `maxBytes`.
   */
  file(path: string, ref: string | null, maxBytes: number): Promise<{ text: string | null } | null>;
  /** The end of a failed job's log, at most `maxBytes`. */
  jobLog(jobId: number, maxBytes: number): Promise<string>;
}

interface ForgeWrites {
  react(target: ReactionTarget, reaction: Reaction): Promise<void>;
  /** On a thread, or as an answer to a comment on lines. When it is not new, it says what was to be said at that time. */
  say(
    key: string,
    to: { number: number; inReplyTo?: number },
    body: string,
  ): Promise<{ id: number; url: string; isNew: boolean }>;
  /** Of what was said with this key. Answers false when somebody has deleted it. */
  edit(
    comment: { id: number; kind: "thread" | "line"; key: string },
    body: string,
  ): Promise<boolean>;
  /** The open one of the same branches, where there is one already. */
  openPullRequest(draft: PullRequestDraft): Promise<PullRequest>;
  submitReview(key: string, draft: ReviewDraft): Promise<{ id: number; url: string }>;
  addLabels(number: number, labels: readonly string[]): Promise<void>;
  /** Makes the check of this key at this commit, or brings it up to date; null where the bot may not (a personal token). */
  check(key: string, draft: CheckDraft): Promise<{ id: number } | null>;
}
