import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../kit/hub/database.ts";
import { askDoctor, NOWHERE } from "../kit/hub/doctor.ts";
import { deliverTo } from "../kit/bot/github-account.ts";
import { callGitHub } from "../kit/bot/github-command.ts";
import type { GitHubCommand } from "../kit/bot/github-command.ts";
import { createGitHub } from "../kit/github/github.ts";
import type { LocalGitHub } from "../kit/github/github.ts";
import { AGENTS, MODEL_KEY, REPOSITORY } from "../kit/hub/house.ts";
import { startHub } from "../kit/hub/hub.ts";
import { createScriptedModel } from "../kit/model/scripted-model.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

const LONG = { timeout: 240_000 };
const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/;

/** Where the page of a set-up is. */
const addressIn = (setup: GitHubCommand) =>
  waitFor(() => ADDRESS.exec(setup.output())?.[0], {
    timeoutMs: 60_000,
    what: "the page's address",
  });

function setUp(dir: string, github: LocalGitHub, more: string[] = []) {
  const hub = ["--hub-url", "http://127.0.0.1:9/"];
  return callGitHub(dir, ["setup", "--server", github.url, ...hub, "--name", "Our Bot", ...more]);
}

/** As the browser shows it. */
async function pageOf(address: string) {
  const response = await fetch(address);
  const text = await response.text();
  const field = (pattern: RegExp) => unescaped(pattern.exec(text)?.[1] ?? "");
  return {
    status: response.status,
    headers: response.headers,
    text,
    action: field(/<form action="([^"]*)"/),
    manifest: field(/name="manifest" value="([^"]*)"/),
  };
}

/** Presses the button of the page, and the one of GitHub's. Answers where GitHub sends the browser. */
async function press({ action, manifest }: { action: string; manifest: string }) {
  const body = new URLSearchParams({ manifest });
  const answer = await fetch(action, { method: "POST", body, redirect: "manual" });
  return answer.headers.get("location") ?? "";
}

const go = (url: string) => fetch(url, { redirect: "manual" });

function unescaped(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

test("a hub that has made its App in the browser hears a mention of it", LONG, async () => {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await createTestDatabase(inject("databaseServer")));
  const github = parts.use(await createGitHub());
  const { state } = await github.repository(REPOSITORY, {
    files: "greeter",
    collaborators: { ada: "write" },
  });
  const model = parts.use(
    await createScriptedModel({ apiKey: MODEL_KEY, scenario: { conversations: [] } }),
  );
  let printed = "";
  const hub = parts.use(
    await startHub({
      databaseUrl: database.url,
      agentPath: AGENTS.standIn,
      model: { url: model.url, apiKey: MODEL_KEY },
      env: { CLAUDE_HUB_FORGE_THROTTLE: "false" },
      async prepare(dir) {
        await using setup = setUp(dir, github, ["--organization", "octo"]);
        const page = await pageOf(await addressIn(setup));
        expect(page.headers.get("content-security-policy")).toContain(`form-action ${github.url}`);
        expect(page.action).toContain("/organizations/octo/settings/apps/new?state=");
        const manifest: unknown = JSON.parse(page.manifest);
        expect(manifest).toMatchObject({
          public: false,
          hook_attributes: { url: "http://127.0.0.1:9/api/webhooks/github", active: true },
        });
        const sentOn = await go(await press(page));
        expect([sentOn.status, sentOn.headers.get("location")]).toEqual([
          302,
          `${github.url}/apps/our-bot/installations/new`,
        ]);
        expect(await setup.ended()).toBe(0);
        printed = setup.output();
        for (const name of ["key", "github-app.sealed"])
          expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
        return { [Symbol.asyncDispose]: () => Promise.resolve() };
      },
    }),
  );
  const [app] = github.apps();
  if (app === undefined) throw new Error("no App was made");
  expect(app.hook.url).toBe("http://127.0.0.1:9/api/webhooks/github");
  for (const secret of [app.clientSecret, app.webhookSecret, app.privateKey.split("\n")[1] ?? "-"])
    for (const text of [printed, hub.output()]) expect(text).not.toContain(secret);

  const before = callGitHub(hub.dir, ["status"]);
  expect(await before.ended()).toBe(1);
  expect(before.output()).toContain("the App is installed nowhere");
  github.install(app, "octo");
  deliverTo(app.hook, hub);
  const ada = github.as("ada");
  const body = `@our-bot look\n${standIn({ result: { summary: "Looked." } })}`;
  const { number } = await ada.openIssue(REPOSITORY, { title: "Hm", body });
  await waitFor(
    () =>
      state.comments.some(
        ({ issue, user, body: text }) =>
          issue.number === number && user.login === "our-bot[bot]" && text.includes("Looked."),
      ),
    { timeoutMs: 120_000, what: "the bot to answer" },
  );
  await github.settled();
  const after = callGitHub(hub.dir, ["status"]);
  expect(await after.ended()).toBe(0);
  expect(after.output()).toContain(`the App our-bot (${app.id})`);
  expect(after.output()).toContain("installed at octo");
  expect(after.output()).toMatch(/deliveries go to \S+; the last \d+ were taken/);

  const second = setUp(hub.dir, github);
  expect(await second.ended()).toBe(1);
  expect(second.output()).toContain("--again makes another one");
});

test("the address, the state and the code are good once", LONG, async () => {
  await using temp = await createTempDir("github-setup");
  await using github = await createGitHub();
  await using setup = setUp(temp.path, github);
  const address = await addressIn(setup);
  const own = new URL(address).origin;
  // Nobody has been sent to the forge yet.
  expect((await go(`${own}/created?code=c&state=`)).status).toBe(403);
  expect((await go(`${own}/?token=wrong`)).status).toBe(403);
  const named = await fetch(address, { method: "POST" });
  expect(named.status).toBe(405);
  const page = await pageOf(address);
  expect(page.status).toBe(200);
  expect((await pageOf(address)).status).toBe(403);
  const location = new URL(await press(page));
  const wrong = new URL(location);
  wrong.searchParams.set("state", "wrong");
  expect((await go(wrong.href)).status).toBe(403);
  // The forge is away for a moment: the code may be shown again.
  github.fault({
    method: "POST",
    path: "/app-manifests/{code}/conversions",
    status: 502,
    times: 1,
  });
  const away = await go(location.href);
  expect([away.status, await away.text()]).toEqual([502, expect.stringContaining("Reload")]);
  const [one, two] = await Promise.all([go(location.href), go(location.href)]);
  expect(new Set([one.status, two.status])).toEqual(new Set([302, 403]));
  expect(await setup.ended()).toBe(0);
  expect((await readdir(temp.path)).toSorted()).toEqual(["github-app.sealed", "key"]);
});

test.each([
  ["that is too old", (github: LocalGitHub) => github.advance(3_600_001)],
  [
    "that was used before",
    async (github: LocalGitHub, code: string) => {
      const url = `${github.apiUrl}/app-manifests/${code}/conversions`;
      const headers = { "user-agent": "somebody" };
      expect((await fetch(url, { method: "POST", headers })).status).toBe(201);
    },
  ],
])("a code %s is refused, and nothing is kept", LONG, async (_what, spoil) => {
  await using temp = await createTempDir("github-setup");
  await using github = await createGitHub();
  await using setup = setUp(temp.path, github);
  const location = await press(await pageOf(await addressIn(setup)));
  await spoil(github, new URL(location).searchParams.get("code") ?? "");
  const answer = await go(location);
  expect([answer.status, await answer.text()]).toEqual([
    502,
    expect.stringContaining("Begin anew"),
  ]);
  expect(await setup.ended()).toBe(1);
  expect(setup.output()).toContain("GitHub does not know the code");
  expect(await readdir(temp.path)).toEqual([]);
});

test("what is missing is told, and what was set by hand goes before", LONG, async () => {
  await using temp = await createTempDir("github-setup");
  await using github = await createGitHub();
  const app = github.app({ permissions: { contents: "read" }, events: ["issues"] });
  github.install(app, "octo").suspend();
  const own = {
    GITHUB_API_URL: github.apiUrl,
    GITHUB_SERVER_URL: github.url,
    GITHUB_APP_ID: String(app.id),
    GITHUB_APP_PRIVATE_KEY: app.privateKey,
  };
  const status = callGitHub(temp.path, ["status"], { env: own });
  expect(await status.ended()).toBe(1);
  expect(status.output()).toContain("lacks permissions: actions: read, checks: write, contents");
  expect(status.output()).toContain("is not told of: check_run");
  expect(status.output()).toContain("installed at octo, but suspended");
  expect(status.output()).toContain("GITHUB_WEBHOOK_SECRET is not set");
  const doctor = await askDoctor({
    dir: temp.path,
    env: { ...own, CLAUDE_HUB_RUNTIME: "process", CLAUDE_CODE_PATH: AGENTS.standIn },
    args: ["--json", "--online", "--reach", NOWHERE],
  });
  expect(doctor.output).toContain("installed at octo, but suspended");
  expect(doctor.exitCode).toBe(1);
  const { token } = github.user("bob");
  const personal = { ...own, GITHUB_APP_ID: "", GITHUB_TOKEN: token, GITHUB_WEBHOOK_SECRET: "s" };
  const asBob = callGitHub(temp.path, ["status"], { env: personal });
  expect(await asBob.ended()).toBe(0);
  expect(asBob.output()).toContain("a token of bob");
  const refused = callGitHub(temp.path, ["status"], {
    env: { ...personal, GITHUB_TOKEN: "ghp_wrong" },
  });
  expect(await refused.ended()).toBe(1);
  expect(refused.output()).toContain("GitHub refuses the hub's credential");
  expect(refused.output()).not.toContain("ghp_wrong");
});
