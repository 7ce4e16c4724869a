import { describe, expect, test } from "vitest";
import { HubError } from "../../../src/core/errors.ts";
import type { Forge, ForgeRepository } from "../../../src/forge/forge.ts";
import type { LocalGitHub } from "../github/github.ts";
import type { LocalRepository } from "../github/repositories.ts";

/** An adapter at a forge where `ada` may write to `octo/greeter`, whose labels are `bug` and `enhancement`. */
export interface ForgeScene extends AsyncDisposable {
  forge: Forge;
  /** As the hub knows it. */
  at: ForgeRepository;
  github: LocalGitHub;
  repository: LocalRepository;
  /** The bot's login. */
  bot: string;
  isApp: boolean;
}

const NAME = "octo/greeter";
/** It was done, and its answer never came. */
export const lost = { reset: true, applied: true, times: 1 } as const;

/** What every forge promises, whoever the hub is there. */
export function forgeContract(label: string, open: () => Promise<ForgeScene>): void {
  describe(`forge ${label}`, () => {
    readsContract(open);
    writesContract(open);
    failuresContract(open);
  });
}

export async function pullRequest({ github, repository }: ForgeScene, branch = "topic") {
  await repository.push({ by: "ada", branch, files: { "t.md": "one\ntwo\n" } });
  return await github.as("ada").openPull(NAME, { title: "Topic", head: branch, body: "Why" });
}

function readsContract(open: () => Promise<ForgeScene>): void {
  test("says who the bot is, what the repository is, and what people may", async () => {
    await using scene = await open();
    const { forge, at, github, bot, isApp } = scene;
    const { account, appId } = await forge.self();
    expect(account.login).toBe(bot);
    expect(appId !== null).toBe(isApp);
    expect(await at.facts()).toMatchObject({ name: NAME, defaultBranch: "main" });
    github.user("eve");
    expect(await at.permissionOf("ada")).toBe("write");
    expect(await at.permissionOf("eve")).toBe("read");
    expect(await at.permissionOf("nobody-at-all")).toBe("none");
    expect((await at.labels()).map(({ name }) => name)).toEqual(["bug", "enhancement"]);
  });

  test("reads issues, and the newest comments of a long thread in their order", async () => {
    await using scene = await open();
    const { at, github } = scene;
    const ada = github.as("ada");
    const { number } = await ada.openIssue(NAME, { title: "Long", body: "text", labels: ["bug"] });
    expect(await at.issue(number)).toMatchObject({
      number,
      isPullRequest: false,
      title: "Long",
      body: "text",
      association: "COLLABORATOR",
      state: "open",
      labels: ["bug"],
    });
    for (let n = 1; n <= 1_150; n += 1) await ada.comment(NAME, number, `comment ${n}`);
    const newest = await at.comments(number, 3);
    expect(newest.map(({ body }) => body)).toEqual(
      [1_148, 1_149, 1_150].map((n) => `comment ${n}`),
    );
    const labelers = await at.labelers(number);
    expect(labelers.get("bug")?.login).toBe("ada");
    await at.addLabels(number, ["enhancement"]);
    await ada.request("DELETE", `/repos/${NAME}/issues/${number}/labels/bug`);
    const changes = await at.labelChanges(number);
    expect(changes.map(({ kind, label }) => `${kind} ${label}`)).toEqual([
      "added bug",
      "added enhancement",
      "removed bug",
    ]);
    expect(changes.map(({ actor }) => actor.login === "ada")).toEqual([true, false, true]);
    expect((await at.labelers(number)).has("bug")).toBe(false);
  });

  test("reads pull requests, their files, reviews and comments on lines", async () => {
    await using scene = await open();
    const { at, github, repository } = scene;
    const { number } = await pullRequest(scene);
    const sha = await repository.sha("topic");
    const found = await at.pullRequest(number);
    expect(found).toMatchObject({ number, isFork: false, state: "open", head: { sha } });
    expect((await at.pullRequestsAt(sha)).map((one) => one.number)).toEqual([number]);
    expect((await at.pullRequestOf("topic"))?.number).toBe(number);
    expect(await at.pullRequestOf("main")).toBeNull();
    expect((await at.files(number)).map(({ path }) => path)).toEqual(["t.md"]);
    const comments = [{ path: "t.md", line: 2, side: "RIGHT", body: "two?" }];
    const { id } = await github
      .as("ada")
      .review(NAME, number, { event: "COMMENT", body: "Hm", comments });
    expect(await at.review(number, id)).toMatchObject({ body: "Hm", state: "commented", sha });
    const [line] = await at.reviewComments(number, id);
    expect(line).toMatchObject({ body: "two?", line: { path: "t.md", line: 2 } });
    expect((await at.lineComments(number, 10)).map((one) => one.id)).toEqual([line?.id]);
  });

  test("sees checks and statuses of a commit as one list, and the log of a job", async () => {
    await using scene = await open();
    const { at, repository } = scene;
    await pullRequest(scene);
    await repository.setStatus("topic", { by: "ada", context: "ci/old", state: "pending" });
    await repository.runWorkflow({
      ref: "topic",
      by: "ada",
      jobs: [
        { name: "test", conclusion: "failure", log: `${"x".repeat(100)}\nit broke` },
        { name: "lint", conclusion: "skipped" },
      ],
    });
    const checks = await at.checks(await repository.sha("topic"));
    expect(checks.map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      "ci/old waiting",
      "lint passed",
      "test failed",
    ]);
    expect(checks.find(({ name }) => name === "lint")?.workflowName).toBe("ci");
    const job = checks.find(({ name }) => name === "test")?.jobId ?? 0;
    expect(await at.jobLog(job, 8)).toBe("it broke");
  });

  test("a workflow that has begun and shows no job waits", async () => {
    await using scene = await open();
    const { at, repository } = scene;
    await pullRequest(scene);
    await repository.runWorkflow({ ref: "topic", by: "ada", workflow: "slow", jobs: [] });
    expect(await at.checks(await repository.sha("topic"))).toMatchObject([
      { name: "slow", workflowName: "slow", state: "waiting" },
    ]);
  });
}

function writesContract(open: () => Promise<ForgeScene>): void {
  test("says a thing once, also when the answer was lost or somebody else asks again", async () => {
    await using scene = await open();
    const { at, github, repository, bot } = scene;
    const { number } = await github.as("ada").openIssue(NAME, { title: "Once", body: "" });
    const route = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
    github.fault({ method: "POST", path: route, ...lost });
    await expect(at.say("k1", { number }, "Hello")).rejects.toMatchObject({ retryable: true });
    const first = await at.say("k1", { number }, "Hello");
    expect(await at.say("k1", { number }, "Hello again")).toEqual(first);
    await at.say("k2", { number }, "Other");
    const said = repository.state.comments.filter(({ user }) => user.login === bot);
    expect(said.map(({ body }) => body.split("\n")[0])).toEqual(["Hello", "Other"]);
    expect(await at.edit({ id: first.id, kind: "thread", key: "k1" }, "Changed")).toBe(true);
    expect((await at.comment(first.id)).body).toContain("Changed");
    await github.as("ada").request("DELETE", `/repos/${NAME}/issues/comments/${first.id}`);
    expect(await at.edit({ id: first.id, kind: "thread", key: "k1" }, "Gone")).toBe(false);
  });

  test("does not take what somebody else has written for its own", async () => {
    await using scene = await open();
    const { at, github, repository, bot } = scene;
    const { number } = await github.as("ada").openIssue(NAME, { title: "Forged", body: "" });
    await github.as("ada").comment(NAME, number, "Mine\n\n<!-- claude-hub k1 -->");
    const route = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
    github.fault({ method: "POST", path: route, reset: true, times: 1 });
    await expect(at.say("k1", { number }, "Hello")).rejects.toMatchObject({ retryable: true });
    await at.say("k1", { number }, "Hello");
    expect(repository.state.comments.filter(({ user }) => user.login === bot)).toHaveLength(1);
  });

  test("reacts, labels and opens a pull request as often as it is asked, with one effect", async () => {
    await using scene = await open();
    const { at, github, repository, bot } = scene;
    const { number } = await github.as("ada").openIssue(NAME, { title: "Twice", body: "" });
    await repository.push({ by: "ada", branch: "work", files: { "w.md": "w\n" } });
    const draft = { head: "work", base: "main", title: "Work", body: "", isDraft: true };
    github.fault({ method: "POST", path: "/repos/{owner}/{repo}/pulls", ...lost });
    await expect(at.openPullRequest(draft)).rejects.toMatchObject({ retryable: true });
    const opened = await at.openPullRequest(draft);
    for (let n = 0; n < 2; n += 1) {
      await at.react({ kind: "thread", number }, "eyes");
      await at.addLabels(number, ["bug"]);
      expect((await at.openPullRequest(draft)).number).toBe(opened.number);
    }
    const issue = repository.state.issues.find((one) => one.number === number);
    expect(issue?.reactions.map(({ user, content }) => `${user.login} ${content}`)).toEqual([
      `${bot} eyes`,
    ]);
    expect((await at.issue(number)).labels).toEqual(["bug"]);
    expect(repository.state.issues.filter(({ pull }) => pull !== null)).toHaveLength(1);
  });

  test("opens a pull request that is no draft, where there are none", async () => {
    await using scene = await open();
    const { at, github, repository } = scene;
    await repository.push({ by: "ada", branch: "plain", files: { "p.md": "p\n" } });
    const message = "Draft pull requests are not supported in this repository.";
    const path = "/repos/{owner}/{repo}/pulls";
    const struck = github.fault({ method: "POST", path, status: 422, message, times: 1 });
    const draft = { head: "plain", base: "main", title: "Plain", body: "", isDraft: true };
    expect(await at.openPullRequest(draft)).toMatchObject({ isDraft: false, title: "Plain" });
    expect(struck.hits).toBe(1);
  });

  test("submits a review once, with comments on lines", async () => {
    await using scene = await open();
    const { at, github, repository } = scene;
    const { number } = await pullRequest(scene);
    const line = { path: "t.md", line: 1, side: "RIGHT" as const, body: "one?" };
    const draft = {
      number,
      sha: await repository.sha("topic"),
      body: "Looked",
      verdict: "comment" as const,
      comments: [line],
    };
    const route = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";
    github.fault({ method: "POST", path: route, ...lost });
    await expect(at.submitReview("r1", draft)).rejects.toMatchObject({ retryable: true });
    // Also of what was found again it is known where it stands.
    const { url } = await at.submitReview("r1", draft);
    expect(url).toContain("#pullrequestreview-");
    expect(await at.submitReview("r1", draft)).toMatchObject({ url });
    expect(await at.reviews(number)).toHaveLength(1);
    expect(await at.lineComments(number, 10)).toHaveLength(1);
    await expect(
      at.submitReview("r2", { ...draft, comments: [{ ...line, line: 99 }] }),
    ).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("makes one check and brings it up to date, where the bot may", async () => {
    await using scene = await open();
    const { at, github, repository, isApp } = scene;
    await pullRequest(scene);
    const sha = await repository.sha("topic");
    const draft = { name: "claude-hub", sha, title: "Working", summary: "…" };
    const begin = () => at.check("c1", { ...draft, status: "in_progress" });
    if (isApp) {
      github.fault({ method: "POST", path: "/repos/{owner}/{repo}/check-runs", ...lost });
      await begin().catch(() => undefined);
    }
    const made = await begin();
    await at.check("c1", { ...draft, status: "completed", conclusion: "success" });
    const checks = await at.checks(sha);
    expect(checks.map(({ name, state }) => `${name} ${state}`)).toEqual(
      isApp ? ["claude-hub passed"] : [],
    );
    // The list shows the newest of a name; there is no older one.
    const all = repository.state.suites.flatMap(({ runs }) => runs.map(({ id }) => id));
    expect(all).toEqual(isApp ? [made?.id] : []);
  });
}

function failuresContract(open: () => Promise<ForgeScene>): void {
  test("tells failures apart: gone, refused, asked to wait, down", async () => {
    await using scene = await open();
    const { at, github } = scene;
    expect(await code(at.issue(99_999))).toBe("not_found");
    const { number } = await github.as("ada").openIssue(NAME, { title: "Down", body: "" });
    const path = "/repos/{owner}/{repo}/issues/{issue_number}";
    const fault = (settings: { status: number; retryAfter?: number }) =>
      github.fault({ method: "GET", path, times: 10, ...settings });
    for (const [settings, expected] of [
      [{ status: 403 }, "forbidden"],
      [{ status: 403, retryAfter: 120 }, "rate_limited"],
      [{ status: 429, retryAfter: 120 }, "rate_limited"],
      [{ status: 422 }, "invalid_request"],
      [{ status: 410 }, "not_found"],
      [{ status: 502 }, "upstream_failed"],
    ] as const) {
      const struck = fault(settings);
      expect([settings, await code(at.issue(number))]).toEqual([settings, expected]);
      struck.clear();
    }
  });
}

async function code(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof HubError ? error.code : String(error);
}
