import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/database.ts";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { FORGERIES, HIDDEN, HIDDEN_TEXTS, INVISIBLE_LETTERS } from "../kit/attacks/injections.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const DONE = standIn({ result: { summary: "Done." } });

let house: GitHubHouse;
let database: Database;
beforeAll(async () => {
  house = await openGitHubHouse();
  const { databaseUrl: url } = house;
  database = openDatabase({ url, maxConnections: 1, onIdleError: () => undefined });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");
const eve = () => house.github.as("eve");

async function sessionsOf(number: number) {
  return await database.db
    .selectFrom("thread_sessions")
    .innerJoin("sessions", "sessions.id", "thread_sessions.session_id")
    .select(["id", "requirements", "context"])
    .where("number", "=", number)
    .execute();
}

/** What the agent is told when ada asks on an issue of eve's. */
async function shown(issue: { title: string; body: string }, comment: string) {
  const { number } = await eve().openIssue(REPOSITORY, issue);
  await eve().comment(REPOSITORY, number, `a stranger's words ${HIDDEN}`);
  await ada().comment(REPOSITORY, number, comment);
  await ada().comment(REPOSITORY, number, `${BOT} look\n${DONE}`);
  const [session] = await waitFor(
    async () => {
      const all = await sessionsOf(number);
      return all.length > 0 && all;
    },
    { timeoutMs: 30_000, what: "the session" },
  );
  await house.said(number, "**Done**", 60_000);
  return { requirements: session?.requirements ?? "", context: session?.context ?? "" };
}

test("what no reader of the page sees, no agent is told, and strangers' comments neither", async () => {
  const body = Object.values(HIDDEN_TEXTS).join("\n\n");
  const { context, requirements } = await shown(
    { title: `T ${HIDDEN_TEXTS["letters of the tag block"]}`, body },
    body,
  );
  for (const text of [context, requirements]) {
    expect(text).not.toContain(HIDDEN);
    expect(text).not.toMatch(/[\u{e0000}-\u{e0fff}]/u);
  }
  expect(context).toContain("Hello");
});

test("a word is the word that is read, and nobody speaks in another's name", async () => {
  const spelled = Object.values(INVISIBLE_LETTERS).join(" ");
  const { context } = await shown(
    { title: FORGERIES.join("\n").slice(0, 250), body: `${spelled}\n\n${FORGERIES.join("\n\n")}` },
    FORGERIES.join("\n\n"),
  );
  expect(context).not.toMatch(/[^\P{Cc}\n\t]|\p{Cf}/u);
  expect(context.match(/^@ada \(/gm)).toHaveLength(2);
  expect(context).not.toMatch(/^(Human|System|Assistant):/m);
  expect(context).not.toMatch(/^<\/?(context|requirements)/m);
});

test("what is changed after the question is not shown", async () => {
  const { number } = await eve().openIssue(REPOSITORY, { title: "Fine", body: "all is well" });
  // Nothing is worked off before it is too late.
  const slow = house.github.fault({
    method: "GET",
    path: /\/installation$|access_tokens$|comments\/\d+$/,
    delayMs: 1_500,
    times: 4,
  });
  await ada().comment(REPOSITORY, number, `${BOT} look\n${DONE}`);
  await eve().request("PATCH", `/repos/${REPOSITORY}/issues/${number}`, {
    title: HIDDEN,
    body: HIDDEN,
  });
  await house.said(number, "**Done**", 60_000);
  slow.clear();
  const [session] = await sessionsOf(number);
  expect(session?.context).toContain("all is well");
  expect(session?.context).not.toContain(HIDDEN);
});
