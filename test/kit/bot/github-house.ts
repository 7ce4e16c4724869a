import { inject } from "vitest";
import { openDatabase } from "../../../src/store/database.ts";
import type { Database } from "../../../src/store/database.ts";
import { createTestDatabase } from "../hub/database.ts";
import { accountOn, deliverTo } from "./github-account.ts";
import { createGitHub } from "../github/github.ts";
import type { LocalApp, LocalGitHub, LocalInstallation } from "../github/github.ts";
import type { LocalRepository, RepositorySettings } from "../github/repositories.ts";
import { AGENTS, MODEL_KEY, REPOSITORY } from "../hub/house.ts";
import type { AgentName } from "../hub/house.ts";
import { startHub } from "../hub/hub.ts";
import type { HubOptions, TestHub } from "../hub/hub.ts";
import type { Scenario } from "../model/scenario.ts";
import { createScriptedModel } from "../model/scripted-model.ts";
import type { ScriptedModel } from "../model/scripted-model.ts";
import { waitFor } from "../wait.ts";

export const BOT = "@ClaudeBot";

/** A hub that is a GitHub App on a GitHub of its own, with one repository; `ada` may write there. */
export interface GitHubHouse extends AsyncDisposable {
  hub: TestHub;
  github: LocalGitHub;
  app: LocalApp;
  /** Of the App at the repository's owner. */
  installation: LocalInstallation;
  repository: LocalRepository;
  model: ScriptedModel;
  databaseUrl: string;
  /** What the hub has stored. */
  database: Database;
  /** Deliveries go where the hub listens now; after a restart. */
  connect(): void;
  /** Waits until every delivery has been answered and worked off. */
  settled(timeoutMs?: number): Promise<void>;
  /** What stands on an issue or pull request. */
  comments(number: number): { id: number; author: string; body: string }[];
  /** Of the bot, as `thread eyes` or `<comment's id> eyes`. */
  reactions(number: number): string[];
  /** Sessions that were asked for on a thread, oldest first. */
  sessionsOf(number: number): Promise<string[]>;
  pulls(): { number: number; head: string; isDraft: boolean; title: string; body: string }[];
  /** The bot's newest comment on a thread, once it says this. */
  said(number: number, text: string | RegExp, timeoutMs?: number): Promise<string>;
}

export async function openGitHubHouse(
  options: Omit<HubOptions, "forge" | "model" | "databaseUrl" | "agentPath"> & {
    agent?: AgentName;
    scenario?: Scenario;
    repository?: RepositorySettings;
    /** Who the hub is: an App, or somebody with a token and a webhook of the repository's. */
    account?: "app" | "person";
  } = {},
): Promise<GitHubHouse> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await createTestDatabase(inject("databaseServer")));
  const github = parts.use(await createGitHub());
  const repository = await github.repository(REPOSITORY, {
    files: "greeter",
    collaborators: { ada: "write", tim: "triage" },
    labels: ["bug", "enhancement"],
    ...options.repository,
  });
  const app = github.app();
  const installation = github.install(app, "octo");
  const person = options.account === "person" ? github.user(BOT.slice(1)) : null;
  if (person !== null) {
    installation.uninstall();
    repository.setRole(person.login, "write");
  }
  const bot = person ?? app.bot;
  const scenario = options.scenario ?? { conversations: [] };
  const model = parts.use(await createScriptedModel({ apiKey: MODEL_KEY, scenario }));
  const hub = parts.use(
    await startHub({
      ...options,
      databaseUrl: database.url,
      agentPath: AGENTS[options.agent ?? "standIn"],
      model: { url: model.url, apiKey: MODEL_KEY },
      env: {
        ...accountOn(github, app, person),
        BOT_USERNAME: BOT.slice(1),
        // Most tests open issues to ask for something.
        CLAUDE_HUB_AUTO_LABEL: "off",
        ...options.env,
      },
    }),
  );
  const stored = parts.use(
    openDatabase({ url: database.url, maxConnections: 1, onIdleError: () => undefined }),
  );
  const { state } = repository;
  if (person !== null) await makeWebhook(github, app.webhookSecret, `${hub.url}/`);
  const hook = state.hooks[0] ?? app.hook;
  const connect = () => deliverTo(hook, hub);
  connect();
  const issueOf = (number: number) => {
    const issue = state.issues.find((one) => one.number === number);
    if (issue === undefined) throw new Error(`there is no #${number}`);
    return issue;
  };
  const commentsOn = (number: number) =>
    state.comments.filter(({ issue }) => issue.number === number);
  const comments = (number: number) =>
    commentsOn(number).map(({ id, user, body }) => ({ id, author: user.login, body }));
  const all = parts.move();
  return {
    hub,
    github,
    app,
    installation,
    repository,
    model,
    databaseUrl: database.url,
    database: stored,
    connect,
    async settled(timeoutMs = 30_000) {
      await github.settled();
      const { db } = stored;
      const waiting = db.selectFrom("deliveries").select("number").where("state", "=", "waiting");
      await waitFor(async () => (await waiting.execute()).length === 0, {
        timeoutMs,
        what: "deliveries to be worked off",
      });
    },
    comments,
    reactions: (number) => {
      const issue = issueOf(number);
      const lines = state.reviewComments.filter((one) => one.issue === issue);
      return [issue, ...commentsOn(number), ...lines].flatMap((one) =>
        one.reactions
          .filter(({ user }) => user.login === bot.login)
          .map(({ content }) => `${one === issue ? "thread" : one.id} ${content}`),
      );
    },
    async sessionsOf(number) {
      const rows = await stored.db
        .selectFrom("thread_sessions")
        .select("session_id")
        .where("number", "=", number)
        .orderBy("created_at")
        .execute();
      return rows.map(({ session_id: id }) => id);
    },
    pulls: () =>
      state.issues.flatMap(({ number, title, body, pull }) =>
        pull === null ? [] : [{ number, title, body, head: pull.headRef, isDraft: pull.draft }],
      ),
    said: (number, text, timeoutMs = 30_000) =>
      waitFor(
        () =>
          comments(number).findLast(
            ({ author, body }) =>
              author === bot.login &&
              (typeof text === "string" ? body.includes(text) : text.test(body)),
          )?.body,
        { timeoutMs, what: `the bot to say ${text} on #${number}` },
      ),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** As the repository's owner makes it by hand. */
async function makeWebhook(github: LocalGitHub, secret: string, url: string): Promise<void> {
  const { token } = github.user("octo");
  const answer = await fetch(`${github.apiUrl}/repos/${REPOSITORY}/hooks`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "user-agent": "octo" },
    body: JSON.stringify({ config: { url, secret, content_type: "json" }, events: ["*"] }),
  });
  if (!answer.ok) throw new Error(`no webhook: ${answer.status} ${await answer.text()}`);
}
