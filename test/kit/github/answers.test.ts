import { expect, test } from "vitest";
import { runGit } from "../forge/git.ts";
import { createTempDir } from "../temp-dir.ts";
import { Client, clientOf } from "./client.ts";
import { createGitHub } from "./github.ts";
import { routes } from "./routes/all.ts";

const REPO = "/repos/octo/greeter";

test("every route that only reads answers as GitHub's description says", async () => {
  await using github = await createGitHub();
  const repository = await github.repository("octo/greeter", { files: { "src/a.txt": "a\n\n" } });
  github.organization("acme");
  await github.repository("acme/tools");
  const app = github.app();
  const installation = github.install(app, "octo");
  github.install(app, "acme");
  const octo = github.as("octo");
  const { number } = await octo.openIssue("octo/greeter", { title: "One", labels: ["bug"] });
  const comment = await octo.comment("octo/greeter", number, "Hello");
  await repository.push({ by: "octo", branch: "topic", files: { "src/a.txt": "b\n" } });
  repository.require("main", ["ci"]);
  const pull = await octo.openPull("octo/greeter", { title: "Two", head: "topic" });
  const line = { path: "src/a.txt", line: 1, side: "RIGHT", body: "Hm" };
  const words = { event: "COMMENT", body: "So", comments: [line] };
  const review = await octo.review("octo/greeter", pull.number, words);
  const run = await repository.runWorkflow({
    ref: "topic",
    by: "octo",
    jobs: [
      {
        name: "test",
        conclusion: "failure",
        log: "no",
      },
    ],
  });
  await repository.setStatus("topic", { by: "octo", context: "ci", state: "failure" });
  const config = { url: "http://127.0.0.1:9/" };
  await octo.request("POST", `${REPO}/hooks`, { config, events: ["issues"] });
  await github.settled();
  const { state } = repository;
  const [suite] = state.suites.filter((each) => each.runs.length > 0);
  const [hook] = state.hooks;
  const values: Record<string, unknown> = {
    owner: "octo",
    repo: "greeter",
    username: "octo",
    org: "acme",
    app_slug: app.slug,
    issue_number: number,
    pull_number: pull.number,
    review_id: review.id,
    branch: "main",
    path: "src/a.txt",
    basehead: "main...topic",
    name: "bug",
    commit_sha: await repository.sha("topic"),
    installation_id: installation.id,
    check_suite_id: suite?.id,
    check_run_id: suite?.runs[0]?.id,
    run_id: run.id,
    job_id: state.runs[0]?.jobs[0]?.id,
    hook_id: hook?.id,
  };
  const { octokit: asApp } = clientOf(github, app);
  const { data } = await asApp.request("POST /app/installations/{installation_id}/access_tokens", {
    installation_id: installation.id,
  });
  const asInstallation = new Client({ auth: data.token, baseUrl: github.apiUrl });
  const asUser = new Client({ auth: github.user("octo").token, baseUrl: github.apiUrl });

  const refused: string[] = [];
  for (const route of routes.filter((each) => each.method === "GET")) {
    const { path, needs } = route;
    // Nobody has merged it, and a logs' address leads to text.
    if (path.endsWith("/merge")) continue;
    const deliveries = path.startsWith("/app/") ? app.hook.deliveries : hook?.deliveries;
    const more = {
      comment_id: path.includes("/pulls/") ? state.reviewComments[0]?.id : comment.id,
      delivery_id: deliveries?.[0]?.id,
      ref: path.includes("/git/ref") ? "heads/main" : "topic",
    };
    const client = needs === "app" ? asApp : needs === "installation" ? asInstallation : asUser;
    const all = Object.entries({ ...values, ...more });
    const asked = Object.fromEntries(all.filter(([name]) => path.includes(`{${name}}`)));
    await client.request(`GET ${path}`, asked).catch((error: unknown) => {
      refused.push(`${path}: ${String(error)}`);
    });
  }
  expect(refused).toEqual([]);

  const at = { owner: "octo", repo: "greeter", path: "src/a.txt" };
  const { data: file } = await asUser.rest.repos.getContent(at);
  expect(file).toMatchObject({ content: Buffer.from("a\n\n").toString("base64") });
  const mediaType = { format: "raw" };
  expect((await asUser.rest.repos.getContent({ ...at, mediaType })).data).toBe("a\n\n");
  const { data: listed } = await asUser.rest.repos.getContent({ ...at, path: "src" });
  expect(listed).toMatchObject([{ name: "a.txt", type: "file" }]);
  const { data: root } = await asUser.rest.repos.getContent({ ...at, path: "" });
  expect(root).toMatchObject([{ name: "src", type: "dir" }]);
});

test("branches made, moved, deleted and pushed by force are told of", async () => {
  await using github = await createGitHub();
  const repository = await github.repository("octo/greeter");
  const { rest } = new Client({ auth: github.user("octo").token, baseUrl: github.apiUrl });
  const at = { owner: "octo", repo: "greeter" };
  const main = await repository.sha("main");
  await rest.git.createRef({ ...at, ref: "refs/heads/a/b", sha: main });
  await expect(rest.git.createRef({ ...at, ref: "refs/heads/a/b", sha: main })).rejects.toThrow(
    "Reference already exists",
  );
  const content = Buffer.from("text\n").toString("base64");
  const file = { ...at, path: "new.txt", message: "New", content, branch: "a/b" };
  await rest.repos.createOrUpdateFileContents(file);
  const { number } = await github.as("octo").openPull("octo/greeter", { title: "A", head: "a/b" });
  const pushed = { by: "octo", branch: "a/b", files: { "b.txt": "b\n" }, onto: "main" };
  const sha = await repository.push(pushed);
  const { data: pull } = await rest.pulls.get({ ...at, pull_number: number });
  expect(pull).toMatchObject({ head: { sha }, commits: 1, changed_files: 1, mergeable: true });
  const forced = { ...at, ref: "heads/a/b", sha: main };
  await expect(rest.git.updateRef(forced)).rejects.toThrow("not a fast forward");
  await rest.git.deleteRef({ ...at, ref: "heads/a/b" });
  const { data: closed } = await rest.pulls.get({ ...at, pull_number: number });
  expect(closed.state).toBe("closed");
});

test("an App without that permission does not push workflows, and after a rename git finds its way", async () => {
  await using github = await createGitHub();
  const repository = await github.repository("octo/greeter");
  const app = github.app();
  const { id } = github.install(app, "octo");
  const { data } = await clientOf(github, app).octokit.request(
    "POST /app/installations/{installation_id}/access_tokens",
    { installation_id: id },
  );
  const remote = repository.cloneUrl.replace("http://", `http://x-access-token:${data.token}@`);
  repository.rename("welcomer");
  await using dir = await createTempDir("clone");
  const git = async (...args: string[]) => await runGit(args, { cwd: dir.path });
  await git("clone", "-q", remote, ".");
  const ci = { by: "octo", branch: "ci", files: { ".github/workflows/ci.yml": "on: push\n" } };
  await repository.push(ci);
  await git("fetch", "-q", "origin", "ci");
  await git("push", "-q", "origin", "FETCH_HEAD:refs/heads/same");
  await git("checkout", "-q", "FETCH_HEAD");
  await git("rm", "-q", ".github/workflows/ci.yml");
  await git("commit", "-q", "-m", "Without");
  await expect(git("push", "-q", "origin", "HEAD:refs/heads/other")).rejects.toThrow(
    "without `workflows` permission",
  );
  const fault = github.fault({ path: /^\/octo\/welcomer\.git\//, status: 502, times: 1 });
  await expect(git("fetch", "-q", "origin")).rejects.toThrow("502");
  expect(fault.hits).toBe(1);
});
