import { z } from "zod";

/** Events of GitHub that the hub listens to; others are kept with the reason why nothing is done. */
export const LISTENED: ReadonlySet<string> = new Set([
  "ping",
  "issues",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "check_suite",
  "check_run",
  "status",
  "workflow_run",
  "push",
  "repository",
  "installation",
  "installation_repositories",
]);

export const NOT_LISTENED = "the hub does not listen to such events";

export const DeliveryState = z.enum(["waiting", "done", "ignored", "failed"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

/** PostgreSQL's text holds no NUL. */
const short = z
  .string()
  .max(200)
  .refine((text) => !text.includes("\u0000"));
const numbered = z.object({ number: z.int() }).nullish().catch(null);
const headed = z.object({ head_sha: short }).nullish().catch(null);

/** What is read of a payload before it is worked off: what it is found by, and what it is worked off in order by. */
export const DeliveryHead = z
  .object({
    action: short.nullish().catch(null),
    repository: z.object({ id: z.int(), full_name: short }).nullish().catch(null),
    sender: z.object({ login: short }).nullish().catch(null),
    issue: numbered,
    pull_request: numbered,
    check_suite: headed,
    check_run: headed,
    workflow_run: headed,
    sha: short.nullish().catch(null),
  })
  .transform((payload) => ({
    action: payload.action ?? null,
    repository: payload.repository?.full_name ?? null,
    sender: payload.sender?.login ?? null,
    thread: threadOf(payload),
  }));
export type DeliveryHead = z.infer<typeof DeliveryHead>;

/** The issue or pull request, else the commit, else the repository. */
function threadOf(payload: {
  repository?: { id: number } | null | undefined;
  issue?: { number: number } | null | undefined;
  pull_request?: { number: number } | null | undefined;
  check_suite?: { head_sha: string } | null | undefined;
  check_run?: { head_sha: string } | null | undefined;
  workflow_run?: { head_sha: string } | null | undefined;
  sha?: string | null | undefined;
}): string | null {
  const { repository, issue, pull_request: pull } = payload;
  if (repository == null) return null;
  const number = (issue ?? pull)?.number;
  if (number !== undefined) return issueThread(repository.id, number);
  const headSha =
    (payload.check_suite ?? payload.check_run ?? payload.workflow_run)?.head_sha ?? payload.sha;
  return headSha == null ? `github ${repository.id}` : `github ${repository.id}@${headSha}`;
}

/** What deliveries about an issue or a pull request are worked off in order by. */
export function issueThread(repositoryId: number, number: number): string {
  return `github ${repositoryId}#${number}`;
}

/** The number of the issue or pull request that a delivery is worked off in order by; null: by none. */
export function threadNumber(thread: string | null): number | null {
  const [, number] = /#(\d+)$/.exec(thread ?? "") ?? [];
  return number === undefined ? null : Number(number);
}
