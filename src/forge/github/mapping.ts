import { z } from "zod";
import { Repository } from "../../core/repository.ts";
import type {
  Account,
  ChangedFile,
  Check,
  Comment,
  Issue,
  Label,
  PullRequest,
  RepositoryFacts,
  Review,
} from "../forge.ts";

// What of GitHub's answers is read; everything else may change as it likes.

/** Accounts that are gone are shown as nobody's. */
const User = z
  .object({ id: z.int(), login: z.string(), type: z.string().catch("User") })
  .nullable()
  .transform((user): Account =>
    user === null
      ? { id: 0, login: "ghost", isBot: false }
      : { id: user.id, login: user.login, isBot: user.type !== "User" },
  );
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const Labels = z
  .array(z.union([z.string(), z.object({ name: text })]))
  .transform((labels) => labels.map((label) => (typeof label === "string" ? label : label.name)));

export const AccountAnswer = User;

export const FactsAnswer = z
  .object({ id: z.int(), full_name: Repository, default_branch: z.string(), archived: z.boolean() })
  .transform((one): RepositoryFacts => ({
    id: one.id,
    name: one.full_name,
    defaultBranch: one.default_branch,
    isArchived: one.archived,
  }));

export const IssueAnswer = z
  .object({
    number: z.int(),
    pull_request: z.object({ merged_at: z.string().nullish() }).optional(),
    title: text,
    body: text,
    user: User,
    author_association: z.string().catch("NONE"),
    state: z.string(),
    locked: z.boolean().catch(false),
    labels: Labels,
    assignees: z.array(User).nullish(),
    html_url: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .transform((one): Issue => ({
    number: one.number,
    isPullRequest: one.pull_request !== undefined,
    title: one.title,
    body: one.body,
    author: one.user,
    association: one.author_association,
    state:
      one.pull_request?.merged_at != null ? "merged" : one.state === "open" ? "open" : "closed",
    isLocked: one.locked,
    labels: one.labels,
    assignees: one.assignees ?? [],
    url: one.html_url,
    createdAt: one.created_at,
    updatedAt: one.updated_at,
  }));

const Side = z.object({
  sha: z.string(),
  ref: z.string(),
  repo: z.object({ id: z.int(), full_name: Repository }).nullable(),
});

export const PullRequestAnswer = z
  .object({
    number: z.int(),
    title: text,
    body: text,
    user: User,
    state: z.string(),
    merged_at: z.string().nullish(),
    draft: z.boolean().catch(false),
    locked: z.boolean().catch(false),
    labels: Labels,
    html_url: z.string(),
    head: Side,
    base: Side,
  })
  .transform((one): PullRequest => ({
    number: one.number,
    title: one.title,
    body: one.body,
    author: one.user,
    state: one.merged_at != null ? "merged" : one.state === "open" ? "open" : "closed",
    isDraft: one.draft,
    isLocked: one.locked,
    labels: one.labels,
    url: one.html_url,
    head: { sha: one.head.sha, branch: one.head.ref, repository: one.head.repo?.full_name ?? null },
    base: { sha: one.base.sha, branch: one.base.ref },
    isFork: one.head.repo === null || one.head.repo.id !== one.base.repo?.id,
  }));

const Said = z.object({
  id: z.int(),
  body: text,
  user: User,
  author_association: z.string().catch("NONE"),
  html_url: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
});

export const CommentAnswer = Said.transform((one): Comment => comment(one, "thread", null));

export const LineCommentAnswer = Said.extend({
  path: z.string(),
  line: z.int().nullish(),
  original_line: z.int().nullish(),
  diff_hunk: text,
  in_reply_to_id: z.int().nullish(),
}).transform((one): Comment =>
  comment(one, "line", {
    path: one.path,
    line: one.line ?? one.original_line ?? null,
    diffHunk: one.diff_hunk,
    inReplyTo: one.in_reply_to_id ?? null,
  }),
);

function comment(one: z.infer<typeof Said>, kind: Comment["kind"], line: Comment["line"]): Comment {
  return {
    id: one.id,
    kind,
    body: one.body,
    author: one.user,
    association: one.author_association,
    url: one.html_url,
    createdAt: one.created_at,
    updatedAt: one.updated_at,
    line,
  };
}

const VERDICTS = ["approved", "changes_requested", "commented", "dismissed", "pending"] as const;

export const ReviewAnswer = z
  .object({
    id: z.int(),
    user: User,
    author_association: z.string().catch("NONE"),
    body: text,
    state: z
      .string()
      .transform((state) => z.enum(VERDICTS).catch("commented").parse(state.toLowerCase())),
    commit_id: text,
    html_url: text,
    submitted_at: z.string().nullish(),
  })
  .transform((one): Review => ({
    id: one.id,
    author: one.user,
    association: one.author_association,
    body: one.body,
    state: one.state,
    sha: one.commit_id,
    url: one.html_url,
    submittedAt: one.submitted_at ?? null,
  }));

export const FileAnswer = z
  .object({
    filename: z.string(),
    status: z.string(),
    additions: z.int(),
    deletions: z.int(),
    patch: z.string().nullish(),
  })
  .transform((one): ChangedFile => ({
    path: one.filename,
    status: one.status,
    additions: one.additions,
    deletions: one.deletions,
    patch: one.patch ?? null,
  }));

/** A directory, a link to nowhere and a submodule are no files. */
export const ContentsAnswer = z
  .object({ type: z.literal("file"), size: z.int(), encoding: z.string(), content: z.string() })
  .transform(({ size, encoding, content }) => ({
    size,
    text: encoding === "base64" ? Buffer.from(content, "base64").toString("utf8") : null,
  }))
  .nullable()
  .catch(null);

const PASSED = new Set(["success", "neutral", "skipped"]);

export const CheckRunAnswer = z
  .object({
    name: z.string(),
    app: z.object({ id: z.int() }).nullish(),
    status: z.string(),
    conclusion: z.string().nullish(),
    details_url: z.string().nullish(),
    html_url: z.string().nullish(),
  })
  .transform((one): Check => {
    const url = one.html_url ?? one.details_url ?? null;
    // GitHub's own workflows: …/actions/runs/RUN/job/JOB
    const job = /\/actions\/runs\/(\d+)(?:\/job\/(\d+))?/.exec(one.details_url ?? url ?? "");
    const conclusion = one.conclusion ?? null;
    return {
      name: one.name,
      appId: one.app?.id ?? null,
      state:
        one.status !== "completed" ? "waiting" : PASSED.has(conclusion ?? "") ? "passed" : "failed",
      conclusion,
      workflowRunId: job === null ? null : Number(job[1]),
      workflowName: null,
      jobId: job?.[2] === undefined ? null : Number(job[2]),
      url,
    };
  });

export const WorkflowRunAnswer = z
  .object({ id: z.int(), name: text, status: text, html_url: z.string().nullish() })
  .transform((one) => ({
    id: one.id,
    name: one.name,
    isDone: one.status === "completed",
    url: one.html_url ?? null,
  }));
export type WorkflowRun = z.infer<typeof WorkflowRunAnswer>;

export const StatusAnswer = z
  .object({ context: z.string(), state: z.string(), target_url: z.string().nullish() })
  .transform((one): Check => ({
    name: one.context,
    appId: null,
    state: one.state === "success" ? "passed" : one.state === "pending" ? "waiting" : "failed",
    conclusion: one.state,
    workflowRunId: null,
    workflowName: null,
    jobId: null,
    url: one.target_url ?? null,
  }));

export const LabelAnswer = z
  .object({ name: z.string(), description: text })
  .transform((one): Label => ({ name: one.name, description: one.description }));

export const WrittenAnswer = z
  .object({ id: z.int(), html_url: z.string() })
  .transform(({ id, html_url: url }) => ({ id, url }));
