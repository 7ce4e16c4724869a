import { expect, test } from "vitest";
import { Client, clientOf } from "./client.ts";
import { createGitHub } from "./github.ts";
import { createReceiver } from "./receiver.ts";

const at = { owner: "octo", repo: "greeter" };

/** A repository with the App installed, somebody who may write, and octokit as the App. */
async function scene(github: Awaited<ReturnType<typeof createGitHub>>, hookUrl?: string) {
  const repository = await github.repository("octo/greeter", {
    files: { "a.txt": "one\ntwo\nthree\nfour\nfive\n", "b.txt": "b\n" },
    collaborators: { ada: "write" },
    labels: ["bug"],
  });
  const app = github.app(hookUrl === undefined ? {} : { hookUrl });
  const { id } = github.install(app, "octo");
  const octokit = await clientOf(github, app).getInstallationOctokit(id);
  return { repository, app, octokit };
}

test("issues, comments, labels, reactions and locks behave, and are told of", async () => {
  await using hub = await createReceiver();
  await using github = await createGitHub();
  const { octokit } = await scene(github, hub.url);
  const { rest } = octokit;
  const ada = github.as("ada");
  const { number } = await ada.openIssue("octo/greeter", { title: "It hurts", body: "@bot help" });
  const issue = { ...at, issue_number: number };
  const { id } = await ada.comment("octo/greeter", number, "Please");
  await ada.editComment("octo/greeter", id, "@bot please");

  const eyes = { ...at, comment_id: id, content: "eyes" } as const;
  expect((await rest.reactions.createForIssueComment(eyes)).status).toBe(201);
  expect((await rest.reactions.createForIssueComment(eyes)).status).toBe(200);
  await rest.reactions.createForIssue({ ...issue, content: "rocket" });
  const { data: own } = await rest.issues.createComment({ ...issue, body: "On it" });
  await rest.issues.updateComment({ ...at, comment_id: own.id, body: "Done" });
  const { data: labels } = await rest.issues.addLabels({ ...issue, labels: ["bug", "new"] });
  expect(labels.map((label) => label.name)).toEqual(["bug", "new"]);
  await rest.issues.removeLabel({ ...issue, name: "new" });
  await rest.issues.addAssignees({ ...issue, assignees: ["ada", "nobody"] });
  const { data: now } = await rest.issues.get(issue);
  expect(now).toMatchObject({
    comments: 2,
    reactions: { rocket: 1 },
    author_association: "COLLABORATOR",
  });
  expect(now.assignees?.map((user) => user.login)).toEqual(["ada"]);
  const comments = await octokit.paginate(
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    {
      ...issue,
      per_page: 1,
    },
  );
  expect(comments.map((each) => each.body)).toEqual(["@bot please", "Done"]);
  expect(comments[1]?.performed_via_github_app?.slug).toBe("claude-hub");
  const long = rest.issues.createComment({ ...issue, body: "x".repeat(65_537) });
  await expect(long).rejects.toThrow("body is too long");
  const role = async (username: string) =>
    (await rest.repos.getCollaboratorPermissionLevel({ ...at, username })).data.permission;
  github.user("stranger");
  expect([await role("octo"), await role("ada"), await role("stranger")]).toEqual([
    "admin",
    "write",
    "read",
  ]);
  await ada.setLocked("octo/greeter", number, true);
  await expect(rest.issues.createComment({ ...issue, body: "?" })).rejects.toThrow("locked");

  await github.settled();
  const edited = hub.received.find((each) => each.body.action === "edited");
  expect(edited).toMatchObject({
    event: "issue_comment",
    body: {
      changes: { body: { from: "Please" } },
      sender: { login: "ada" },
      installation: {},
    },
  });
  const seen = hub.received.map((each) => `${each.event}.${each.body.action}`);
  expect(seen).toContain("issues.labeled");
  expect(seen).toContain("issues.locked");
});

test("reviews take lines of the difference, and no others", async () => {
  await using github = await createGitHub();
  const { repository, octokit } = await scene(github);
  const { rest } = octokit;
  await repository.push({
    by: "ada",
    branch: "topic",
    files: { "a.txt": "one\n2\nthree\nfour\nfive\n" },
  });
  const opened = await github.as("ada").openPull("octo/greeter", { title: "Two", head: "topic" });
  const pull = { ...at, pull_number: opened.number };
  const { data: files } = await rest.pulls.listFiles(pull);
  expect(files).toMatchObject([{ filename: "a.txt", additions: 1, deletions: 1 }]);

  const comment = { path: "a.txt", body: "Why?" };
  const review = async (line: number, path = "a.txt") =>
    await rest.pulls.createReview({
      ...pull,
      event: "COMMENT",
      body: "Some words",
      comments: [{ ...comment, path, line, side: "RIGHT" }],
    });
  await expect(review(9)).rejects.toThrow("Line could not be resolved");
  await expect(review(1, "b.txt")).rejects.toThrow("Path could not be resolved");
  expect((await rest.pulls.listReviews(pull)).data).toEqual([]);
  const { data: made } = await review(2);
  expect(made.state).toBe("COMMENTED");
  const commit_id = await repository.sha("topic");
  const alone = { ...pull, ...comment, commit_id };
  await expect(rest.pulls.createReviewComment({ ...alone, line: 9 })).rejects.toThrow(
    "must be part of the diff",
  );
  const { data: first } = await rest.pulls.createReviewComment({
    ...alone,
    line: 3,
    start_line: 2,
    start_side: "RIGHT",
  });
  expect(first.diff_hunk).toContain("+2");
  await rest.pulls.createReplyForReviewComment({ ...pull, comment_id: first.id, body: "So" });
  const { data: all } = await rest.pulls.listReviewComments(pull);
  expect(all.map((each) => [each.line, each.in_reply_to_id])).toEqual([
    [2, undefined],
    [3, undefined],
    [3, first.id],
  ]);

  await repository.push({ by: "ada", branch: "topic", files: { "a.txt": "one\nII\nthree\n" } });
  const { data: later } = await rest.pulls.listReviewComments(pull);
  expect(later.map((each) => each.line ?? null)).toEqual([null, 3, 3]);
  const { data: by } = await rest.repos.listPullRequestsAssociatedWithCommit({
    ...at,
    commit_sha: await repository.sha("topic"),
  });
  expect(by.map((each) => each.number)).toEqual([opened.number]);
  const approve = github.as("ada").review("octo/greeter", opened.number, { event: "APPROVE" });
  await expect(approve).rejects.toThrow("Unprocessable");
  const { data: merged } = await rest.pulls.merge(pull);
  expect(merged.sha).toBe(await repository.sha("main"));
});

test("a pull request from a fork is one whose head the App cannot write", async () => {
  await using github = await createGitHub();
  const { repository, octokit } = await scene(github);
  const fork = await repository.fork("eve");
  await fork.push({ by: "eve", branch: "topic", files: { "c.txt": "c\n" } });
  const { number } = await github
    .as("eve")
    .openPull("octo/greeter", { title: "C", head: "eve:topic", body: "Fixes #1" });
  await fork.push({ by: "eve", branch: "topic", files: { "d.txt": "d\n" } });
  const { data } = await octokit.rest.pulls.get({ ...at, pull_number: number });
  expect(data).toMatchObject({
    changed_files: 2,
    commits: 2,
    author_association: "NONE",
    head: { repo: { fork: true, full_name: "eve/greeter" } },
  });
  expect(await repository.sha(`pull/${number}/head`)).toBe(await fork.sha("topic"));
});

test("checks, statuses, workflows and their logs add up", async () => {
  await using hub = await createReceiver();
  await using github = await createGitHub();
  const { repository, octokit } = await scene(github, hub.url);
  const { rest } = octokit;
  const sha = await repository.push({ by: "ada", branch: "topic", files: { "b.txt": "B\n" } });
  await github.as("ada").openPull("octo/greeter", { title: "B", head: "topic" });
  const jobs = [
    { name: "lint", conclusion: "success" },
    { name: "test", conclusion: "failure", log: "expected 1 to be 2" },
  ];
  const run = await repository.runWorkflow({ ref: "topic", by: "ada", jobs });
  await repository.setStatus("topic", { by: "ada", context: "deploy", state: "success" });
  const output = { title: "Review", summary: "Fine", annotations: [] };
  const { data: check } = await rest.checks.create({
    ...at,
    name: "hub",
    head_sha: sha,
    status: "in_progress",
    output,
  });
  const done = { conclusion: "success", status: "completed" } as const;
  await rest.checks.update({ ...at, check_run_id: check.id, ...done });

  const { data: runs } = await rest.checks.listForRef({ ...at, ref: sha });
  expect(runs.check_runs.map((each) => [each.name, each.conclusion])).toEqual([
    ["hub", "success"],
    ["lint", "success"],
    ["test", "failure"],
  ]);
  const { data: status } = await rest.repos.getCombinedStatusForRef({ ...at, ref: sha });
  expect([status.state, status.total_count]).toEqual(["success", 1]);
  const { data: failed } = await rest.actions.listJobsForWorkflowRun({ ...at, run_id: run.id });
  const job_id = failed.jobs.find((job) => job.conclusion === "failure")?.id ?? 0;
  const log = await rest.actions.downloadJobLogsForWorkflowRun({ ...at, job_id });
  expect(log.data).toBe("expected 1 to be 2");
  const suites = await rest.checks.listSuitesForRef({ ...at, ref: sha });
  expect(suites.data.total_count).toBe(2);
  const suite = hub.received.find((each) => each.body.action === "completed");
  await github.settled();
  expect(suite?.event).toBe("check_run");
  const completed = hub.received.filter(
    (each) => each.event === "check_suite" && each.body.action === "completed",
  );
  expect(completed.map((each) => each.body["check_suite"])).toMatchObject([
    { conclusion: "failure", pull_requests: [{ number: 1 }], app: { slug: "github-actions" } },
    { conclusion: "success", pull_requests: [{ number: 1 }], app: { slug: "claude-hub" } },
  ]);
  const personal = new Client({ auth: github.user("ada").token, baseUrl: github.apiUrl });
  const refused = personal.rest.checks.create({ ...at, name: "mine", head_sha: sha });
  await expect(refused).rejects.toThrow("authenticate via a GitHub App");
});
