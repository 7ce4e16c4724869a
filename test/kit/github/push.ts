import { commitOf, git, log, tryGit } from "./git.ts";
import type { RefChange } from "./git.ts";
import type { Hooks } from "./hooks.ts";
import { emitSuite, suiteFor } from "./checks.ts";
import { isPull, pullBody } from "./present/pull.ts";
import type { PullIssue } from "./present/pull.ts";
import { pageUrl } from "./present/people.ts";
import { simpleCommitBody } from "./present/repository.ts";
import { moveComments } from "./review-lines.ts";
import type { Repository, User } from "./state.ts";
import { reaches, stamp } from "./world.ts";
import type { World } from "./world.ts";

/** All that GitHub does when refs have moved, by git or by the API. */
export async function afterPush(
  world: World,
  hooks: Hooks,
  repository: Repository,
  user: User,
  changes: readonly RefChange[],
): Promise<void> {
  for (const change of changes) {
    repository.pushedAt = stamp(world);
    await emitPush(world, hooks, repository, user, change);
    const branch = /^refs\/heads\/(.+)$/.exec(change.ref)?.[1];
    if (branch === undefined) continue;
    if (isZero(change.after)) await closeHeadless(world, hooks, repository, user, branch);
    else {
      await requestSuites(world, hooks, repository, user, branch, change.after);
      await followHeads(world, hooks, repository, user, branch, change);
    }
    if (!isZero(change.after)) followBases(repository, branch, change.after);
  }
}

function isZero(sha: string): boolean {
  return /^0+$/.test(sha);
}

async function emitPush(
  world: World,
  hooks: Hooks,
  repository: Repository,
  sender: User,
  { ref, before, after }: RefChange,
): Promise<void> {
  const made = isZero(before);
  const deleted = isZero(after);
  const kind = ref.startsWith("refs/tags/") ? "tag" : "branch";
  const about = { ref: ref.replace(/^refs\/(heads|tags)\//, ""), ref_type: kind };
  const basics = { pusher_type: "user", master_branch: repository.defaultBranch };
  if (made) {
    const payload = { ...about, ...basics, description: null };
    hooks.emit({ name: "create", sender, repository, payload });
  }
  if (deleted) {
    hooks.emit({ name: "delete", sender, repository, payload: { ...about, pusher_type: "user" } });
  }
  const others = made ? ["--not", ...(await otherTips(repository, ref))] : [`^${before}`];
  const commits = deleted ? [] : (await log(repository, [after, ...others], 20)).toReversed();
  const head = deleted ? null : simpleCommitBody(await commitOf(repository, after));
  const forced = !made && !deleted && !(await contains(repository, before, after));
  const page = pageUrl(world, repository);
  hooks.emit({
    name: "push",
    sender,
    repository,
    payload: {
      ref,
      before,
      after,
      base_ref: null,
      created: made,
      deleted,
      forced,
      compare: `${page}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
      commits: commits.map(simpleCommitBody),
      head_commit: head,
      pusher: {
        name: sender.login,
        email: `${sender.login}@users.noreply.localhost`,
      },
    },
  });
}

async function otherTips(repository: Repository, ref: string): Promise<string[]> {
  const tips = await git(repository, "for-each-ref", "--format=%(refname)", "refs/heads/");
  return tips.split("\n").filter((each) => each !== "" && each !== ref);
}

async function contains(repository: Repository, old: string, tip: string): Promise<boolean> {
  return (await tryGit(repository, "merge-base", "--is-ancestor", old, tip)) !== null;
}

/** An App that writes checks gets a suite at once; whether it ever runs something is its affair. */
async function requestSuites(
  world: World,
  hooks: Hooks,
  repository: Repository,
  sender: User,
  branch: string,
  sha: string,
): Promise<void> {
  for (const installation of world.installations) {
    const { app } = installation;
    if (app.permissions["checks"] !== "write" || !reaches(installation, repository)) continue;
    if (installation.suspendedAt !== null) continue;
    const suite = suiteFor(world, repository, app, sha, branch);
    await emitSuite({ world, hooks, repository, sender }, suite, "requested", app);
  }
}

/** Pull requests whose head is this branch get a new head, in whichever repository they are. */
async function followHeads(
  world: World,
  hooks: Hooks,
  head: Repository,
  sender: User,
  branch: string,
  { before, after }: RefChange,
): Promise<void> {
  for (const repository of world.repositories) {
    for (const issue of repository.issues.filter(isPull)) {
      const { pull } = issue;
      if (issue.state !== "open" || pull.headRepository !== head) continue;
      if (pull.headRef !== branch || pull.headSha === after) continue;
      await fetchHead(repository, head, issue.number, after);
      await moveComments(repository, issue, after);
      pull.headSha = after;
      issue.updatedAt = stamp(world);
      const body = await pullBody(world, repository, issue);
      const payload = { number: issue.number, before, after, pull_request: body };
      hooks.emit({ name: "pull_request", action: "synchronize", sender, repository, payload });
    }
  }
}

/** Keeps `refs/pull/N/head`, with the commits of a fork where it is one. */
export async function fetchHead(
  repository: Repository,
  head: Repository,
  number: number,
  sha: string,
): Promise<void> {
  const ref = `refs/pull/${number}/head`;
  if (head !== repository) await git(repository, "fetch", "-q", head.dir, `+${sha}:${ref}`);
  else await git(repository, "update-ref", ref, sha);
}

function followBases(repository: Repository, branch: string, sha: string): void {
  for (const { pull, state } of repository.issues.filter(isPull)) {
    if (state === "open" && pull.baseRef === branch) pull.baseSha = sha;
  }
}

/** A pull request without a head branch is closed. */
async function closeHeadless(
  world: World,
  hooks: Hooks,
  repository: Repository,
  sender: User,
  branch: string,
): Promise<void> {
  const concerned = repository.issues.filter(
    (issue): issue is PullIssue =>
      isPull(issue) &&
      issue.state === "open" &&
      issue.pull.headRepository === repository &&
      issue.pull.headRef === branch,
  );
  for (const issue of concerned) {
    issue.state = "closed";
    issue.closedAt = stamp(world);
    issue.updatedAt = issue.closedAt;
    const payload = {
      number: issue.number,
      pull_request: await pullBody(world, repository, issue),
    };
    hooks.emit({ name: "pull_request", action: "closed", sender, repository, payload });
  }
}
