import type { KeyObject } from "node:crypto";

export type Json = Record<string, unknown>;
export type Level = "read" | "write" | "admin";
export type Permissions = Record<string, Level>;
export type Role = "read" | "triage" | "write" | "maintain" | "admin";

export interface User {
  id: number;
  login: string;
  type: "User" | "Bot" | "Organization";
}

export interface App {
  id: number;
  slug: string;
  name: string;
  owner: User;
  bot: User;
  clientId: string;
  clientSecret: string;
  publicKey: KeyObject;
  /** PEM, PKCS#1 as GitHub gives it. */
  privateKey: string;
  permissions: Permissions;
  events: string[];
  hook: Hook | null;
  createdAt: string;
}

export interface Installation {
  id: number;
  app: App;
  account: User;
  /** Null: all of the account. */
  repositories: Set<Repository> | null;
  suspendedAt: string | null;
  createdAt: string;
}

export interface Token {
  value: string;
  /** Who acts with it. */
  user: User;
  installation: Installation | null;
  /** Null: all that the installation has. */
  repositories: Set<Repository> | null;
  permissions: Permissions | null;
  expiresAt: Date | null;
}

export interface Hook {
  id: number;
  target: "repository" | "integration";
  targetId: number;
  url: string;
  secret: string;
  events: string[];
  active: boolean;
  createdAt: string;
  deliveries: Delivery[];
}

export interface Delivery {
  id: number;
  guid: string;
  deliveredAt: string;
  redelivery: boolean;
  durationSeconds: number;
  status: string;
  statusCode: number;
  event: string;
  action: string | null;
  installationId: number | null;
  repositoryId: number | null;
  request: { headers: Record<string, string>; payload: Json };
  response: { headers: Record<string, string>; payload: string };
}

export interface Label {
  id: number;
  name: string;
  color: string;
  description: string | null;
}

export interface Reaction {
  id: number;
  user: User;
  content: string;
  createdAt: string;
}

export interface Written {
  id: number;
  user: User;
  /** The App whose token wrote it. */
  app: App | null;
  body: string;
  createdAt: string;
  updatedAt: string;
  reactions: Reaction[];
}

export interface Comment extends Written {
  issue: Issue;
}

export interface Issue extends Written {
  number: number;
  title: string;
  labels: Label[];
  assignees: User[];
  state: "open" | "closed";
  stateReason: string | null;
  locked: boolean;
  closedAt: string | null;
  events: IssueEvent[];
  pull: Pull | null;
}

export interface IssueEvent {
  id: number;
  event: string;
  actor: User;
  createdAt: string;
  more: Json;
}

export interface Pull {
  id: number;
  /** Null once the fork is gone. */
  headRepository: Repository | null;
  headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  mergedAt: string | null;
  mergedBy: User | null;
  mergeSha: string | null;
  requestedReviewers: User[];
  reviews: Review[];
}

export interface Review extends Written {
  issue: Issue;
  state: "PENDING" | "COMMENTED" | "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED";
  sha: string;
  submittedAt: string | null;
}

export type Side = "LEFT" | "RIGHT";

export interface ReviewComment extends Written {
  issue: Issue;
  review: Review;
  path: string;
  side: Side;
  /** Null when a later push took the line out of the difference. */
  line: number | null;
  originalLine: number | null;
  startLine: number | null;
  startSide: Side | null;
  subject: "line" | "file";
  originalSha: string;
  sha: string;
  hunk: string;
  inReplyTo: number | null;
}

export interface CheckSuite {
  id: number;
  app: App;
  sha: string;
  branch: string | null;
  createdAt: string;
  updatedAt: string;
  runs: CheckRun[];
}

export interface CheckRun {
  id: number;
  suite: CheckSuite;
  name: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: string | null;
  externalId: string;
  detailsUrl: string | null;
  startedAt: string;
  completedAt: string | null;
  output: { title: string | null; summary: string | null; text: string | null };
  annotations: Json[];
  actions: { label: string; description: string; identifier: string }[];
}

export interface Status {
  id: number;
  sha: string;
  state: "error" | "failure" | "pending" | "success";
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: User;
  createdAt: string;
}

export interface WorkflowRun {
  id: number;
  workflowId: number;
  name: string;
  number: number;
  attempt: number;
  event: string;
  suite: CheckSuite;
  jobs: Job[];
  actor: User;
}

export interface Job {
  id: number;
  run: WorkflowRun;
  check: CheckRun;
  log: string;
}

export interface Repository {
  id: number;
  owner: User;
  name: string;
  dir: string;
  private: boolean;
  archived: boolean;
  defaultBranch: string;
  parent: Repository | null;
  collaborators: Map<User, Role>;
  labels: Label[];
  issues: Issue[];
  comments: Comment[];
  reviewComments: ReviewComment[];
  hooks: Hook[];
  suites: CheckSuite[];
  statuses: Status[];
  runs: WorkflowRun[];
  /** Contexts that a branch asks for before a merge. */
  required: Map<string, string[]>;
  /** Settled when everything that followed from the last push is done. */
  idle: Promise<void>;
  createdAt: string;
  pushedAt: string;
}
