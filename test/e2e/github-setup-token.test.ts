import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../kit/hub/database.ts";
import { callGitHub } from "../kit/bot/github-command.ts";
import { createGitHub } from "../kit/github/github.ts";
import { AGENTS, MODEL_KEY, REPOSITORY } from "../kit/hub/house.ts";
import { startHub } from "../kit/hub/hub.ts";
import { createScriptedModel } from "../kit/model/scripted-model.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

const LONG = { timeout: 240_000 };

test(
  "a hub that was given a token hears a mention by the webhook that it has made",
  LONG,
  async () => {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await createTestDatabase(inject("databaseServer")));
    const github = parts.use(await createGitHub());
    const { state } = await github.repository(REPOSITORY, {
      files: "greeter",
      collaborators: { ada: "write", robot: "admin" },
    });
    const { token } = github.user("robot");
    const model = parts.use(
      await createScriptedModel({ apiKey: MODEL_KEY, scenario: { conversations: [] } }),
    );
    const setUp = (dir: string, ...more: string[]) =>
      callGitHub(
        dir,
        ["setup", "--token", "--server", github.url, "--hub-url", "http://127.0.0.1:9/", ...more],
        { input: `${token}\n` },
      );
    const hub = parts.use(
      await startHub({
        databaseUrl: database.url,
        agentPath: AGENTS.standIn,
        model: { url: model.url, apiKey: MODEL_KEY },
        env: { CLAUDE_HUB_FORGE_THROTTLE: "false", CLAUDE_HUB_AUTO_LABEL: "off" },
        async prepare(dir) {
          await using setup = setUp(dir, "--repository", REPOSITORY);
          expect(await setup.ended()).toBe(0);
          expect(setup.output()).toContain("The hub is robot at");
          expect(setup.output()).not.toContain(token);
          const path = join(dir, "github-token.sealed");
          expect((await stat(path)).mode & 0o777).toBe(0o600);
          expect(await readFile(path, "utf8")).not.toContain(token);
          return { [Symbol.asyncDispose]: () => Promise.resolve() };
        },
      }),
    );
    const [hook] = state.hooks;
    if (hook === undefined) throw new Error("no webhook was made");
    expect(hook).toMatchObject({ url: "http://127.0.0.1:9/api/webhooks/github", active: true });
    expect(hook.events).toContain("issue_comment");
    // A second time, as with another token: the webhook is brought up to date, with the secret of before.
    const { secret } = hook;
    hook.active = false;
    const again = setUp(hub.dir, "--repository", REPOSITORY);
    expect(await again.ended()).toBe(0);
    expect(state.hooks).toHaveLength(1);
    expect(hook).toMatchObject({ active: true, secret });
    const status = callGitHub(hub.dir, ["status"]);
    expect(await status.ended()).toBe(0);
    expect(status.output()).toContain("a token of robot");
    expect(status.output()).toContain(`${REPOSITORY} tells the hub at ${hook.url}`);

    hook.url = `${hub.url}/api/webhooks/github`;
    const body = `@robot look\n${standIn({ result: { summary: "Looked." } })}`;
    const { number } = await github.as("ada").openIssue(REPOSITORY, { title: "Hm", body });
    await waitFor(
      () =>
        state.comments.some(
          ({ issue, user, body: text }) =>
            issue.number === number && user.login === "robot" && text.includes("Looked."),
        ),
      { timeoutMs: 120_000, what: "the bot to answer" },
    );
    expect(hub.output()).not.toContain(token);
    const gone = callGitHub(hub.dir, ["status"]);
    expect(await gone.ended()).toBe(1);
    expect(gone.output()).toContain(`${REPOSITORY} has no webhook to http://127.0.0.1:9/`);
  },
);

test(
  "where the token may not make a webhook, it is said what to enter; what is no token is not kept",
  LONG,
  async () => {
    await using temp = await createTempDir("github-token");
    await using github = await createGitHub();
    const { state } = await github.repository(REPOSITORY, { collaborators: { robot: "write" } });
    const { token } = github.user("robot");
    const setUp = (input: string, ...more: string[]) =>
      callGitHub(
        temp.path,
        ["setup", "--token", "--server", github.url, "--hub-url", "https://hub.example", ...more],
        { input },
      );
    for (const [input, why] of [
      ["ghp_unknown\n", "GitHub refuses the hub's credential"],
      ["two words\n", "that is no token"],
      ["", "there was no answer"],
    ] as const) {
      const refused = setUp(input);
      expect(await refused.ended()).toBe(1);
      expect(refused.output()).toContain(why);
      expect(refused.output()).not.toContain("ghp_unknown");
    }
    expect(await readdir(temp.path)).toEqual([]);
    const byHand = setUp(`${token}\n`, "--repository", REPOSITORY);
    expect(await byHand.ended()).toBe(0);
    expect(state.hooks).toEqual([]);
    const printed = byHand.output();
    expect(printed).toContain(`${github.url}/${REPOSITORY}/settings/hooks/new`);
    expect(printed).toContain("Payload URL   https://hub.example/api/webhooks/github");
    expect(printed).toMatch(/Secret {8}[0-9a-f]{64}\n/);
    expect(printed).toContain("issue_comment");
    const status = callGitHub(temp.path, ["status"]);
    expect(await status.ended()).toBe(0);
    expect(status.output()).toContain("does not show its webhooks");
    // An App can do more, so that one is not lost by accident.
    const app = github.app();
    const asApp = callGitHub(
      temp.path,
      ["setup", "--token", "--server", github.url, "--hub-url", "https://hub.example"],
      { input: `${token}\n`, env: { GITHUB_APP_ID: String(app.id) } },
    );
    expect(await asApp.ended()).toBe(1);
    expect(asApp.output()).toContain("--again puts a token in its place");
  },
);
