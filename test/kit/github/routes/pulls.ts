import { z } from "zod";
import { changesBetween, diffText } from "../diff.ts";
import { GitHubError, found, invalid } from "../errors.ts";
import { git, log, resolve, tryGit } from "../git.ts";
import {
  addIssue,
  changeText,
  checkLength,
  checkMayChange,
  emitIssue,
  noteEvent,
  pullIn,
  setState,
} from "../issues.ts";
import { moving } from "../moving.ts";
import { fileBody } from "../present/file.ts";
import { userBody } from "../present/people.ts";
import { isPull, pullBody, pullSimpleBody } from "../present/pull.ts";
import type { PullIssue } from "../present/pull.ts";
import { commitBody } from "../present/repository.ts";
import { fetchHead } from "../push.ts";
import { created, nothing, ok, page, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { Json, Repository } from "../state.ts";
import { findRepository, nextId, stamp, userNamed } from "../world.ts";

const pullRequest = z.object({
  title: z.string().min(1),
  head: z.string(),
  base: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
});
const pullChange = z.object({
  title: z.string().optional(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  base: z.string().optional(),
});
const mergeRequest = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(["merge", "squash", "rebase"]).optional(),
});
const reviewersRequest = z.object({ reviewers: z.array(z.string()).optional() });

export const pullRoutes: Route[] = [
  ...repositoryRoutes(["pull_requests:read"], {
    "GET /pulls": (call) => page(call, listed(call)),
    "GET /pulls/{pull_number}": async (call) => {
      const { world, repository, accept } = call;
      const issue = pullIn(call);
      const { baseSha, headSha } = issue.pull;
      if (/\bdiff\b/.test(accept)) {
        return { status: 200, text: await diffText(repository, baseSha, headSha) };
      }
      return ok(await pullBody(world, repository, issue));
    },
    "GET /pulls/{pull_number}/files": async (call) => {
      const { world, repository } = call;
      const { baseSha, headSha } = pullIn(call).pull;
      const files = await changesBetween(repository, baseSha, headSha);
      return page(
        call,
        files.map((each) => fileBody(world, repository, headSha, each)),
      );
    },
    "GET /pulls/{pull_number}/commits": async (call) => {
      const { world, repository } = call;
      const { baseSha, headSha } = pullIn(call).pull;
      const commits = (await log(repository, [`${baseSha}..${headSha}`])).toReversed();
      return page(
        call,
        commits.map((each) => commitBody(world, repository, each)),
      );
    },
    "GET /pulls/{pull_number}/merge": (call) => {
      if (pullIn(call).pull.mergedAt === null) throw new GitHubError(404, "Not Found");
      return nothing;
    },
  }),
  ...repositoryRoutes(["pull_requests:write"], {
    "POST /pulls": openPull,
    "PATCH /pulls/{pull_number}": async (call) => {
      const issue = pullIn(call);
      await changePull(call, issue);
      return ok(await pullBody(call.world, call.repository, issue));
    },
    "POST /pulls/{pull_number}/requested_reviewers": async (call) => {
      await askReviewers(call, "review_requested");
      return created(pullSimpleBody(call.world, call.repository, pullIn(call)));
    },
    "DELETE /pulls/{pull_number}/requested_reviewers": async (call) => {
      await askReviewers(call, "review_request_removed");
      return ok(pullSimpleBody(call.world, call.repository, pullIn(call)));
    },
  }),
  ...repositoryRoutes(["contents:write"], { "PUT /pulls/{pull_number}/merge": merge }),
];

function listed({ world, repository, query }: RepositoryCall): Json[] {
  const state = query.get("state") ?? "open";
  const head = query.get("head");
  const base = query.get("base");
  return repository.issues
    .filter(isPull)
    .filter((issue) => state === "all" || issue.state === state)
    .filter(({ pull }) => base === null || pull.baseRef === base)
    .filter(({ pull }) => {
      const owner = pull.headRepository?.owner.login ?? "unknown";
      return head === null || head === `${owner}:${pull.headRef}`;
    })
    .map((issue) => pullSimpleBody(world, repository, issue))
    .toReversed();
}

/** `branch`, or `owner:branch` of the repository itself or of a fork. */
function headOf({ world, repository }: RepositoryCall, head: string): [Repository, string] {
  const [branch = "", owner] = head.split(":").toReversed();
  if (owner === undefined || owner === repository.owner.login) return [repository, branch];
  const fork = findRepository(world, owner, repository.name);
  if (fork === undefined) throw invalid("PullRequest", "head", "head is invalid");
  return [fork, branch];
}

function refuse(field: string): GitHubError {
  const errors = [{ resource: "PullRequest", field, code: "invalid" }];
  return new GitHubError(422, "Validation Failed", { errors });
}

async function openPull(call: RepositoryCall) {
  const { world, repository } = call;
  const asked = read(pullRequest, call);
  const [from, branch] = headOf(call, asked.head);
  const tip = `refs/heads/${branch}`;
  const headSha = await tryGit(from, "rev-parse", "-q", "--verify", tip);
  if (headSha === null) throw refuse("head");
  const baseSha = await tryGit(
    repository,
    "rev-parse",
    "-q",
    "--verify",
    `refs/heads/${asked.base}`,
  );
  if (baseSha === null) throw refuse("base");
  const same = repository.issues
    .filter(isPull)
    .find(
      ({ state, pull }) =>
        state === "open" &&
        pull.headRepository === from &&
        pull.headRef === branch &&
        pull.baseRef === asked.base,
    );
  if (same !== undefined) {
    const message = `A pull request already exists for ${from.owner.login}:${branch}.`;
    throw invalid("PullRequest", "head", message);
  }
  checkLength(asked.body ?? "");
  const number = repository.issues.length + 1;
  await fetchHead(repository, from, number, headSha);
  if ((await git(repository, "rev-list", "--count", `${baseSha}..${headSha}`)) === "0") {
    const message = `No commits between ${asked.base} and ${branch}`;
    throw invalid("PullRequest", "base", message);
  }
  const issue = addIssue(call, { title: asked.title, body: asked.body ?? "" });
  issue.pull = {
    id: nextId(world),
    headRepository: from,
    headRef: branch,
    headSha,
    baseRef: asked.base,
    baseSha,
    draft: asked.draft ?? false,
    mergedAt: null,
    mergedBy: null,
    mergeSha: null,
    requestedReviewers: [],
    reviews: [],
  };
  await emitIssue(call, issue, "opened");
  const opened = found(repository.issues.filter(isPull).find((each) => each === issue));
  return created(await pullBody(world, repository, opened));
}

async function changePull(call: RepositoryCall, issue: PullIssue): Promise<void> {
  const change = read(pullChange, call);
  checkMayChange(call, issue);
  const changes = changeText(issue, change);
  if (change.base !== undefined && change.base !== issue.pull.baseRef) {
    changes["base"] = { ref: { from: issue.pull.baseRef }, sha: { from: issue.pull.baseSha } };
    issue.pull.baseSha = await resolve(call.repository, change.base);
    issue.pull.baseRef = change.base;
  }
  issue.updatedAt = stamp(call.world);
  if (Object.keys(changes).length > 0) await emitIssue(call, issue, "edited", { changes });
  if (change.state === "open" && issue.pull.mergedAt !== null) {
    throw invalid("PullRequest", "state", "state cannot be changed. The pull request is merged.");
  }
  if (change.state !== undefined) await setState(call, issue, change.state);
}

async function askReviewers(call: RepositoryCall, action: string): Promise<void> {
  const issue = pullIn(call);
  const { pull } = issue;
  for (const login of read(reviewersRequest, call).reviewers ?? []) {
    const user = userNamed(call.world, login);
    if (user === issue.user) {
      throw new GitHubError(422, "Review cannot be requested from pull request author.");
    }
    const others = pull.requestedReviewers.filter((each) => each !== user);
    pull.requestedReviewers = action === "review_requested" ? [...others, user] : others;
    const requested_reviewer = userBody(call.world, user);
    noteEvent(call, issue, action, { requested_reviewer });
    await emitIssue(call, issue, action, { requested_reviewer });
  }
}

async function merge(call: RepositoryCall) {
  const { world, repository, user } = call;
  const issue = pullIn(call);
  const { pull } = issue;
  const asked = read(mergeRequest, call);
  if (asked.sha !== undefined && asked.sha !== pull.headSha) {
    throw new GitHubError(409, "Head branch was modified. Review and try the merge again.");
  }
  if (issue.state === "closed" || pull.draft) {
    throw new GitHubError(405, "Pull Request is not mergeable");
  }
  if (asked.merge_method === "rebase") {
    throw new GitHubError(405, "Rebase merges are not allowed on this repository.");
  }
  const tip = `refs/heads/${pull.baseRef}`;
  const tree = await tryGit(repository, "merge-tree", "--write-tree", tip, pull.headSha);
  if (tree === null) throw new GitHubError(405, "Pull Request is not mergeable");
  const squash = asked.merge_method === "squash";
  const from = `${pull.headRepository?.owner.login ?? "unknown"}/${pull.headRef}`;
  const plain = `Merge pull request #${issue.number} from ${from}`;
  const title = asked.commit_title ?? (squash ? `${issue.title} (#${issue.number})` : plain);
  const parents = ["-p", tip, ...(squash ? [] : ["-p", pull.headSha])];
  const text = asked.commit_message === undefined ? [] : ["-m", asked.commit_message];
  const sha = await git(repository, "commit-tree", tree, ...parents, "-m", title, ...text);
  pull.mergedAt = stamp(world);
  pull.mergedBy = user;
  pull.mergeSha = sha;
  const { baseSha } = pull;
  noteEvent(call, issue, "merged");
  await setState(call, issue, "closed");
  await moving(call, async () => await git(repository, "update-ref", tip, sha));
  // What the pull request changed stays to be seen.
  pull.baseSha = baseSha;
  await closeFixed(call, issue);
  return ok({ sha, merged: true, message: "Pull Request successfully merged" });
}

/** `Fixes #3` in what is merged closes number 3. */
async function closeFixed(call: RepositoryCall, issue: PullIssue): Promise<void> {
  const { repository } = call;
  if (issue.pull.baseRef !== repository.defaultBranch) return;
  const words = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)/gi;
  for (const [, number] of issue.body.matchAll(words)) {
    const fixed = repository.issues.find((each) => String(each.number) === number);
    if (fixed !== undefined) await setState(call, fixed, "closed");
  }
}
