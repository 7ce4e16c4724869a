import { verify } from "@octokit/webhooks-methods";
import { expect, test } from "vitest";
import { Client, clientOf } from "./client.ts";
import { createGitHub } from "./github.ts";
import { createReceiver } from "./receiver.ts";

const at = { owner: "octo", repo: "greeter" };
const COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments";

test("missed webhooks are listed, and sent again under the same GUID", async () => {
  await using hub = await createReceiver();
  await using github = await createGitHub();
  await github.repository("octo/greeter");
  const app = github.app({ hookUrl: hub.url });
  github.install(app, "octo");
  hub.answerWith(500);
  await github.as("octo").openIssue("octo/greeter", { title: "One" });
  await github.settled();
  hub.answerWith(202);
  const { octokit } = clientOf(github, app);
  const { data: all } = await octokit.request("GET /app/hook/deliveries", { per_page: 1 });
  expect(all).toMatchObject([{ event: "issues", action: "opened", status_code: 500 }]);
  const delivery_id = Number(all[0]?.id);
  const one = { delivery_id };
  const { data: whole } = await octokit.request("GET /app/hook/deliveries/{delivery_id}", one);
  expect(whole.request.payload).toMatchObject({ issue: { title: "One" } });
  await octokit.request("POST /app/hook/deliveries/{delivery_id}/attempts", one);
  await github.settled();
  const [first, again] = hub.received.filter((each) => each.event === "issues");
  expect(again?.guid).toBe(first?.guid);
  const every = await octokit.paginate("GET /app/hook/deliveries", { per_page: 1 });
  expect(every.map((each) => each.redelivery)).toEqual([true, false, false]);
});

test("a repository's own hook is pinged, signed and logged", async () => {
  await using hub = await createReceiver();
  await using github = await createGitHub();
  await github.repository("octo/greeter");
  const { rest } = new Client({ auth: github.user("octo").token, baseUrl: github.apiUrl });
  const config = { url: hub.url, secret: "s3cret", content_type: "json" };
  const { data: hook } = await rest.repos.createWebhook({ ...at, config, events: ["issues"] });
  await rest.issues.create({ ...at, title: "One" });
  await github.settled();
  expect(hub.received.map((each) => each.event)).toEqual(["ping", "issues"]);
  const [, issues] = hub.received;
  expect(await verify("s3cret", issues?.text ?? "", issues?.signature ?? "")).toBe(true);
  const { data } = await rest.repos.listWebhookDeliveries({ ...at, hook_id: hook.id });
  expect(data.map((each) => each.status)).toEqual(["OK", "OK"]);
});

test("faults strike where they are told to, and some after the deed", async () => {
  await using github = await createGitHub();
  const repository = await github.repository("octo/greeter");
  const { number } = await github.as("octo").openIssue("octo/greeter", { title: "One" });
  const { rest } = new Client({ auth: github.user("octo").token, baseUrl: github.apiUrl });
  const say = async () =>
    await rest.issues.createComment({ ...at, issue_number: number, body: "Hello" });

  const limited = github.fault({
    method: "POST",
    path: COMMENTS,
    status: 403,
    retryAfter: 7,
    times: 1,
  });
  await expect(say()).rejects.toMatchObject({
    status: 403,
    response: { headers: { "retry-after": "7" } },
  });
  expect(limited.hits).toBe(1);
  github.fault({ path: COMMENTS, status: 502, applied: true, times: 1 });
  await expect(say()).rejects.toMatchObject({ status: 502 });
  github.fault({ path: COMMENTS, reset: true, applied: true, times: 1 });
  await expect(say()).rejects.toThrow(/ECONNRESET|fetch failed/);
  expect(repository.state.comments).toHaveLength(2);
  const slow = github.fault({ path: COMMENTS, delayMs: 20 });
  await say();
  slow.clear();
  github.leaveRequests(0);
  await expect(say()).rejects.toMatchObject({
    status: 403,
    response: { headers: { "x-ratelimit-remaining": "0" } },
  });
  const asked = github.requests.filter((each) => each.route === COMMENTS);
  expect(asked.map((each) => each.status)).toEqual([403, 502, 0, 201, 403]);
  expect(asked[3]).toMatchObject({ by: "octo", body: { body: "Hello" }, method: "POST" });
});

test("too much content in a minute is refused, where the test wants GitHub's limits held", async () => {
  await using github = await createGitHub({ secondaryLimits: true });
  await github.repository("octo/greeter");
  const { rest } = new Client({ auth: github.user("octo").token, baseUrl: github.apiUrl });
  for (let count = 0; count < 80; count += 1) await rest.issues.create({ ...at, title: "One" });
  await expect(rest.issues.create({ ...at, title: "One" })).rejects.toThrow("secondary rate limit");
  github.advance(60_000);
  await rest.issues.create({ ...at, title: "One" });
});

test("a request that GitHub would not understand fails the test", async () => {
  const github = await createGitHub();
  await github.repository("octo/greeter");
  const headers = { authorization: `token ${github.user("octo").token}` };
  const body = JSON.stringify({ head_sha: "main", nmae: "x" });
  const url = `${github.apiUrl}/repos/octo/greeter/check-runs`;
  const answer = await fetch(url, { method: "POST", headers, body });
  expect(answer.status).toBe(422);
  await fetch(`${github.apiUrl}/repos/octo/greeter?deep=1`, { headers });
  await fetch(`${github.apiUrl}/nowhere`, { headers });
  expect(github.takeInvalid()).toEqual([
    "POST /repos/octo/greeter/check-runs:  must have required property 'name'",
    "POST /repos/octo/greeter/check-runs: nmae is unknown",
    "GET /repos/octo/greeter?deep=1: ?deep is unknown",
    "GET /nowhere: the local GitHub has no such route",
  ]);
  await fetch(`${github.apiUrl}/nowhere`, { headers });
  await expect(github[Symbol.asyncDispose]()).rejects.toThrow("GitHub would not understand");
});

test("an App is made from a manifest, once", async () => {
  await using github = await createGitHub();
  const manifest = JSON.stringify({
    name: "Claude Hub",
    url: "http://127.0.0.1:1",
    redirect_url: "http://127.0.0.1:1/done",
    hook_attributes: { url: "http://127.0.0.1:1/hook" },
    default_permissions: { issues: "write" },
    default_events: ["issues"],
  });
  const page = await fetch(`${github.url}/settings/apps/new?state=abc`, {
    method: "POST",
    body: new URLSearchParams({ manifest }),
    redirect: "manual",
  });
  const to = new URL(page.headers.get("location") ?? "");
  expect(to.searchParams.get("state")).toBe("abc");
  const { rest } = new Client({ baseUrl: github.apiUrl });
  const code = to.searchParams.get("code") ?? "";
  const { data } = await rest.apps.createFromManifest({ code });
  expect(data).toMatchObject({ slug: "claude-hub", permissions: { issues: "write" } });
  expect(data.pem).toContain("RSA PRIVATE KEY");
  await expect(rest.apps.createFromManifest({ code })).rejects.toMatchObject({ status: 404 });
});

test("repositories and installations come, go and are called otherwise", async () => {
  await using hub = await createReceiver();
  await using github = await createGitHub();
  const repository = await github.repository("octo/greeter", { private: true });
  await github.repository("octo/other", { private: true });
  const app = github.app({ hookUrl: hub.url });
  const installation = github.install(app, "octo", ["greeter"]);
  const { data: given } = await clientOf(github, app).octokit.request(
    "POST /app/installations/{installation_id}/access_tokens",
    { installation_id: installation.id },
  );
  // Octokit's own App would try for six seconds whether a new token that is refused will not do after all.
  const octokit = new Client({ auth: given.token, baseUrl: github.apiUrl });
  repository.rename("welcomer");
  const { data } = await octokit.rest.repos.get(at);
  expect(data.full_name).toBe("octo/welcomer");
  const { data: seen } = await octokit.rest.apps.listReposAccessibleToInstallation();
  expect(seen.repositories.map((each) => each.name)).toEqual(["welcomer"]);
  installation.add("other");
  installation.suspend();
  await expect(octokit.rest.repos.get(at)).rejects.toMatchObject({ status: 403 });
  installation.unsuspend();
  installation.uninstall();
  await expect(octokit.rest.repos.get(at)).rejects.toMatchObject({ status: 401 });
  await github.settled();
  expect(hub.received.map((each) => `${each.event}.${each.body.action}`)).toEqual([
    "installation.created",
    "repository.renamed",
    "installation_repositories.added",
    "installation.suspend",
    "installation.unsuspend",
    "installation.deleted",
  ]);
});
