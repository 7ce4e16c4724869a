import { verify } from "@octokit/webhooks-methods";
import { expect, test } from "vitest";
import { runGit } from "../forge/git.ts";
import { createTempDir } from "../temp-dir.ts";
import { createGitHub } from "./github.ts";
import { Client, clientOf } from "./client.ts";
import { createReceiver } from "./receiver.ts";

test("a real octokit App finds its installation and gets tokens that reach no further than they say", async () => {
  await using github = await createGitHub();
  await github.repository("octo/greeter", { files: "greeter", private: true });
  await github.repository("octo/other", { private: true });
  const app = github.app();
  const installation = github.install(app, "octo");
  const octokit = clientOf(github, app);

  const { data: me } = await octokit.octokit.request("GET /app");
  expect(me?.slug).toBe("claude-hub");
  const greeter = { owner: "octo", repo: "greeter" };
  const { data: where } = await octokit.octokit.request(
    "GET /repos/{owner}/{repo}/installation",
    greeter,
  );
  expect(where.id).toBe(installation.id);

  const { data: scoped } = await octokit.octokit.request(
    "POST /app/installations/{installation_id}/access_tokens",
    {
      installation_id: installation.id,
      repositories: ["greeter"],
      permissions: { issues: "write", contents: "read" },
    },
  );
  expect(scoped.token).toMatch(/^ghs_\d+_eyJ[\w.-]{500,}$/);
  const narrow = new Client({ auth: scoped.token, baseUrl: github.apiUrl });
  await narrow.request("POST /repos/{owner}/{repo}/issues", { ...greeter, title: "Hello" });
  const elsewhere = { owner: "octo", repo: "other", title: "Hello" };
  await expect(narrow.request("POST /repos/{owner}/{repo}/issues", elsewhere)).rejects.toThrow(
    expect.objectContaining({ status: 404 }),
  );
  const check = { ...greeter, name: "hub", head_sha: "main" };
  await expect(narrow.request("POST /repos/{owner}/{repo}/check-runs", check)).rejects.toThrow(
    expect.objectContaining({ status: 403 }),
  );

  for (const [authorization, status] of [
    ["Bearer eyJx.eyJx.x", 401],
    ["token ghs_unknown", 401],
    ["", 401],
  ] as const) {
    const answer = await fetch(`${github.apiUrl}/app`, { headers: { authorization } });
    expect(answer.status).toBe(status);
  }

  github.advance(3_600_001);
  await expect(narrow.request("GET /repos/{owner}/{repo}", greeter)).rejects.toThrow(
    "Bad credentials",
  );
});

test("an installation's token clones and pushes as far as it may, and a push moves the pull request", async () => {
  await using hub = await createReceiver();
  await using github = await createGitHub();
  const repository = await github.repository("octo/greeter", { files: "greeter", private: true });
  const app = github.app({ hookUrl: hub.url, hookSecret: "s3cret" });
  const { id } = github.install(app, "octo");
  const tokens = clientOf(github, app);
  const give = async (contents: "read" | "write") => {
    const { data } = await tokens.octokit.request(
      "POST /app/installations/{installation_id}/access_tokens",
      { installation_id: id, repositories: ["greeter"], permissions: { contents } },
    );
    return data.token;
  };
  const writing = await give("write");
  const reading = await give("read");
  const at = (token: string) =>
    repository.cloneUrl.replace("http://", `http://x-access-token:${token}@`);
  await using dir = await createTempDir("clone");
  const git = async (...args: string[]) => await runGit(args, { cwd: dir.path });

  await expect(git("clone", "-q", repository.cloneUrl, ".")).rejects.toThrow("could not read");
  await git("clone", "-q", at(reading), ".");
  await git("checkout", "-q", "-b", "claude/one");
  await git("commit", "-q", "--allow-empty", "-m", "Empty");
  await expect(git("push", "-q", "origin", "claude/one")).rejects.toThrow("403");
  await git("remote", "set-url", "origin", at(writing));
  await git("push", "-q", "origin", "claude/one");

  const octokit = await tokens.getInstallationOctokit(id);
  const { data: pull } = await octokit.request("POST /repos/{owner}/{repo}/pulls", {
    owner: "octo",
    repo: "greeter",
    title: "One",
    head: "claude/one",
    base: "main",
    draft: true,
  });
  await git("commit", "-q", "--allow-empty", "-m", "Another");
  await git("push", "-q", "origin", "claude/one");
  const { data: moved } = await octokit.request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
    owner: "octo",
    repo: "greeter",
    pull_number: pull.number,
  });
  expect(moved.head.sha).toBe(await git("rev-parse", "HEAD"));
  expect(moved.user.login).toBe("claude-hub[bot]");
  await repository.setDraft("octo", pull.number, false);
  await repository.setDraft("octo", pull.number, false);

  await github.settled();
  expect(hub.received.map(({ event, body }) => `${event}.${body.action ?? ""}`)).toEqual([
    "installation.created",
    "push.",
    "check_suite.requested",
    "pull_request.opened",
    "push.",
    "check_suite.requested",
    "pull_request.synchronize",
    "pull_request.ready_for_review",
  ]);
  for (const { text, signature } of hub.received) {
    expect(await verify("s3cret", text, signature)).toBe(true);
  }

  await git("commit", "-q", "--allow-empty", "-m", "Too late");
  github.revokeTokens();
  await expect(git("push", "-q", "origin", "claude/one")).rejects.toThrow("Authentication failed");
});
