import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const FILE = ".github/claude-hub.yml";

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    env: {
      CLAUDE_HUB_TRIGGER_LABEL: "claude",
      CLAUDE_HUB_ALLOWED_MODELS: "small-1",
      // What was pushed a moment ago counts at once.
      CLAUDE_HUB_MIRROR_MAX_AGE_MS: "0",
    },
    repository: { collaborators: { ada: "write", tim: "triage", mia: "maintain" } },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const person = (login: string) => house.github.as(login);
const done = standIn({ result: { summary: "Looked." } });

/** Puts the file on the default branch (null: takes it away), and waits until the hub knows. */
async function settings(text: string | null): Promise<string> {
  const sha = await house.repository.push({ by: "ada", branch: "main", files: { [FILE]: text } });
  await house.settled();
  return sha;
}

async function ask(login: string): Promise<number> {
  const { number } = await person("ada").openIssue(REPOSITORY, { title: "It hurts", body: "" });
  await person(login).comment(REPOSITORY, number, `${BOT} look\n${done}`);
  return number;
}

/** As if the model had been paid for. */
async function spend(number: number, costUsd: number): Promise<void> {
  const [id = ""] = await house.sessionsOf(number);
  await sql`update sessions set cost_usd = ${costUsd} where id = ${id}`.execute(house.database.db);
}

function checksAt(sha: string) {
  return house.repository.state.suites
    .filter((suite) => suite.sha === sha)
    .flatMap(({ runs }) => runs)
    .filter(({ name }) => name === "claude-hub settings")
    .map(({ conclusion, annotations }) => ({ conclusion, annotations }));
}

test("a repository switches triggers off, and calls its label otherwise", async () => {
  await settings("triggers: { mention: off }\nlabel: robot\n");
  const silent = await ask("ada");
  await house.settled();
  expect(await house.sessionsOf(silent)).toEqual([]);
  expect(house.reactions(silent)).toEqual([]);
  const issue = { title: "Label", body: done };
  const { number } = await person("ada").openIssue(REPOSITORY, issue);
  await person("ada").label(REPOSITORY, number, "claude");
  await house.settled();
  expect(await house.sessionsOf(number)).toEqual([]);
  await person("ada").label(REPOSITORY, number, "robot");
  await house.said(number, "Looked.");
  await settings(null);
  await house.said(await ask("ada"), "Looked.");
});

test("a repository lets fewer people ask, and nobody more", async () => {
  await settings("who:\n  permission: read\n  users: [Mia, tim]\n");
  const ada = await ask("ada");
  const tim = await ask("tim");
  await house.settled();
  expect([...(await house.sessionsOf(ada)), ...(await house.sessionsOf(tim))]).toEqual([]);
  await house.said(await ask("mia"), "Looked.");
  await settings(null);
});

test("a broken file on the default branch is told by a check, and only maintainers may ask until it is mended", async () => {
  const sha = await settings("who:\n  users: [ada]\n  permision: admin\n");
  expect(checksAt(sha)).toEqual([
    {
      conclusion: "failure",
      annotations: [expect.objectContaining({ path: FILE, start_line: 3 })],
    },
  ]);
  const number = await ask("ada");
  expect(await house.said(number, "only those who maintain")).toContain("permision");
  await person("ada").comment(REPOSITORY, number, `${BOT} please\n${done}`);
  await house.settled();
  expect(
    house.comments(number).filter(({ author }) => author === house.app.bot.login),
  ).toHaveLength(1);
  expect(await house.sessionsOf(number)).toEqual([]);
  await house.said(await ask("mia"), "Looked.");
  const mended = await settings("who:\n  users: [ada]\n");
  expect(checksAt(mended)).toMatchObject([{ conclusion: "success" }]);
  await house.said(await ask("ada"), "Looked.");
  await settings(null);
});

test("a pull request that changes the file is told whether it fits, and changes nothing before it is merged", async () => {
  const branch = "narrower";
  const push = (text: string) =>
    house.repository.push({ by: "ada", branch, files: { [FILE]: text } });
  const bad = await push("image: x\nwho:\n  users: []\n");
  const { number } = await person("ada").openPull(REPOSITORY, { title: "Settings", head: branch });
  await house.settled();
  expect(checksAt(bad)).toMatchObject([
    { conclusion: "failure", annotations: [{ path: FILE, start_line: 3 }] },
  ]);
  const good = await push("triggers: { mention: off }\n");
  await house.settled();
  expect(checksAt(good)).toMatchObject([{ conclusion: "success" }]);
  expect(house.comments(number)).toEqual([]);
  await house.said(await ask("ada"), "Looked.");
  await house.repository.push({ by: "ada", branch: "other", files: { "o.md": "o\n" } });
  await person("ada").openPull(REPOSITORY, { title: "Other", head: "other" });
  await house.settled();
  expect(checksAt(await house.repository.sha("other"))).toEqual([]);
});

test("a repository prepares its workspace before the agent, and a command that fails is told", async () => {
  await settings("setup:\n  - echo made-by-setup > ~/prepared\n  - test -s ~/prepared\n");
  const body = `${BOT} look\n${standIn({ run: "cat ~/prepared" }, { result: { summary: "Looked." } })}`;
  const first = await person("ada").openIssue(REPOSITORY, { title: "Set up", body });
  await house.said(first.number, "Looked.");
  const [id = ""] = await house.sessionsOf(first.number);
  const events = await house.hub.events(id);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "setup.finished")).toHaveLength(2);
  expect(kinds.lastIndexOf("setup.finished")).toBeLessThan(kinds.indexOf("agent.started"));
  const returned = events.find(({ kind }) => kind === "tool.returned");
  expect(JSON.stringify(returned?.body)).toContain("made-by-setup");

  await settings("setup: [exit 3]\n");
  const failed = await ask("ada");
  const told = await house.said(failed, "**Failed**");
  expect(told).toContain('The setup command "exit 3" ended with exit code 3');
  const [failedId = ""] = await house.sessionsOf(failed);
  expect((await house.hub.get(failedId)).status).toBe("failed");
  const ran = (await house.hub.events(failedId)).map(({ kind }) => kind);
  expect(ran).not.toContain("agent.started");
  await settings(null);
});

test("what a repository may not choose is told at its line, and the rest counts", async () => {
  const text =
    "image: evil/image:1\negressPresets:\n  - npm\negress: [a.example.com]\nlabel: robot\n";
  const sha = await settings(text);
  const [check] = checksAt(sha);
  expect(check?.conclusion).toBe("neutral");
  expect(check?.annotations).toMatchObject([
    { start_line: 1, message: "image: the image evil/image:1 is not allowed here" },
    { start_line: 4, message: "egress: hosts of a repository's own are not allowed here" },
    { start_line: 3, message: "egressPresets: npm is not allowed here" },
  ]);
  const { number } = await person("ada").openIssue(REPOSITORY, { title: "Label", body: done });
  await person("ada").label(REPOSITORY, number, "robot");
  await house.said(number, "Looked.");
  await settings(null);
});

test("of three mentions at once, a budget of a day for one begins one, and the others are told why", async () => {
  await settings("budget: { day: { costUsd: 3 }, session: { costUsd: 3 } }\n");
  const steps = [
    { run: "until [ -e ~/on ]; do sleep 0.1; done" },
    { result: { summary: "Looked." } },
  ];
  const issue = { title: "It hurts", body: "" };
  const opened = await Promise.all([1, 2, 3].map(() => person("ada").openIssue(REPOSITORY, issue)));
  const numbers = opened.map(({ number }) => number);
  await Promise.all(
    numbers.map((number) =>
      person("ada").comment(REPOSITORY, number, `${BOT} look\n${standIn(...steps)}`),
    ),
  );
  await house.settled();
  const found = await Promise.all(
    numbers.map(async (number) => ({ number, ids: await house.sessionsOf(number) })),
  );
  const begun = found.flatMap(({ number, ids }) => ids.map((id) => ({ number, id })));
  const refused = found.filter(({ ids }) => ids.length === 0);
  for (const { number } of refused)
    expect(await house.said(number, "budget for today")).toContain(
      "set aside for what is at work ($3.00 of $3.00)",
    );
  expect(begun).toHaveLength(1);
  const [one = { number: 0, id: "" }] = begun;
  await house.hub.until(one.id, { statuses: ["running"] });
  const { containerId } = await house.hub.get(one.id);
  await writeFile(join(house.hub.dir, "sandboxes", containerId, "home", "on"), "");
  await house.said(one.number, "Looked.");
  // It has used nothing, so that there is enough for another one.
  await house.said(await ask("ada"), "Looked.");
  await settings(null);
});

test("a repository's budget of a day ends what is begun there by one sentence", async () => {
  await settings("budget:\n  day:\n    costUsd: 3\n");
  const first = await ask("ada");
  await house.said(first, "Looked.");
  await spend(first, 2.5);
  await house.said(await ask("ada"), "Looked.");
  await spend(first, 3);
  const number = await ask("ada");
  expect(await house.said(number, "budget for today")).toContain("midnight UTC");
  expect(await house.sessionsOf(number)).toEqual([]);
  await settings(null);
});

test("a repository chooses among the models that are allowed, and has a session cost less", async () => {
  await settings(
    "models: { work: small-1, plan: huge-1 }\nbudget: { session: { costUsd: 0.25, tokens: 9000 } }\n",
  );
  const number = await ask("ada");
  await house.said(number, "Looked.");
  await person("ada").comment(REPOSITORY, number, `${BOT} plan it\n${done}`);
  const knownIds = await house.sessionsOf(number);
  // The thread knows of a session a moment before there is one.
  const rows = await waitFor(async () => {
    const { db } = house.database;
    const plans = db.selectFrom("thread_plans").select("orchestration_id");
    const made = await db
      .selectFrom("sessions")
      .select(["type", "terms"])
      .where((where) =>
        where.or([
          where("id", "in", knownIds),
          where("orchestration_id", "in", plans.where("number", "=", number)),
        ]),
      )
      .orderBy("id")
      .execute();
    return made.length === 2 && made;
  });
  const narrowed = { maxCostUsd: 0.25, maxTokens: 9_000 };
  expect(rows).toMatchObject([
    { type: "implementation", terms: { model: "small-1", ...narrowed } },
    { type: "coordination", terms: { model: null, ...narrowed } },
  ]);
  await settings(null);
});
