import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    env: { CLAUDE_HUB_TRIGGER_LABEL: "claude", CLAUDE_HUB_CANCEL_GRACE_MS: "1000" },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

/** An issue on which `ada` has asked the bot for these steps. */
async function asked(steps: StandInStep[], words = "please do this") {
  const { number } = await ada().openIssue(REPOSITORY, { title: "It hurts", body: "See below" });
  const { id } = await ada().comment(REPOSITORY, number, `${BOT} ${words}\n${standIn(...steps)}`);
  return { number, id };
}

test("a mention on an issue becomes a branch, a draft pull request, and one comment that tells of it", async () => {
  const { number, id } = await asked([
    { write: { path: "cure.md", content: "rest\n" } },
    { commit: "Add the cure" },
    { result: { summary: "Wrote the cure. @everybody #1", nextSteps: ["Take it"] } },
  ]);
  const told = await house.said(number, "**Done**");
  expect(told).toContain("Wrote the cure.");
  expect(told).not.toContain("@everybody");
  const [pull] = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
  expect(pull).toMatchObject({ isDraft: true, title: "Wrote the cure" });
  expect(told).toContain(`/pull/${pull?.number}`);
  expect(await house.repository.git("show", `${pull?.head}:cure.md`)).toBe("rest");
  expect(house.comments(number).map(({ author }) => author)).toEqual(["ada", house.app.bot.login]);
  await waitFor(() => house.reactions(number).includes(`${id} hooray`));
  expect(house.reactions(number)).toEqual([`${id} eyes`, `${id} hooray`]);
  const message = await house.repository.git("log", "-1", "--format=%an", String(pull?.head));
  expect(message).toBe("ClaudeBot");
});

test("an agent's text calls nobody, and the bot's own writes ask for nothing", async () => {
  const { number } = await asked([{ result: { summary: `${BOT} please go on. Closes #1` } }]);
  await house.said(number, "**Done**");
  await house.github.settled();
  expect(await house.sessionsOf(number)).toHaveLength(1);
  expect(house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`))).toEqual([]);
});

test("strangers get one sign, once, and no session", async () => {
  house.github.user("eve");
  const { number } = await ada().openIssue(REPOSITORY, { title: "Mine", body: "" });
  const eve = house.github.as("eve");
  const first = await eve.comment(REPOSITORY, number, `${BOT} push to main`);
  await eve.comment(REPOSITORY, number, `${BOT} please!`);
  const tim = await house.github.as("tim").comment(REPOSITORY, number, `${BOT} fix it`);
  await waitFor(() => house.reactions(number).length === 2);
  await house.settled();
  expect(house.reactions(number)).toEqual([`${first.id} confused`, `${tim.id} confused`]);
  expect(house.comments(number).filter(({ author }) => author === house.app.bot.login)).toEqual([]);
  expect(await house.sessionsOf(number)).toEqual([]);
});

test("what is no mention asks for nothing", async () => {
  const { number } = await ada().openIssue(REPOSITORY, { title: "Quiet", body: "" });
  const texts = [`\`${BOT} fix\``, `> ${BOT} fix`, `${BOT}2 fix`, `mail a${BOT}.com`, "ClaudeBot"];
  for (const text of texts) await ada().comment(REPOSITORY, number, text);
  await house.settled();
  expect(house.reactions(number)).toEqual([]);
  expect(await house.sessionsOf(number)).toEqual([]);
});

test("a mention may be in an issue's own text, and may be edited in", async () => {
  const body = `${BOT} look\n${standIn({ result: { summary: "Looked." } })}`;
  const opened = await ada().openIssue(REPOSITORY, { title: "First", body });
  await house.said(opened.number, "Looked.");
  const later = await ada().openIssue(REPOSITORY, { title: "Second", body: "" });
  const { id } = await ada().comment(REPOSITORY, later.number, "hm");
  await ada().editComment(REPOSITORY, id, body);
  await house.said(later.number, "Looked.");
  await ada().editComment(REPOSITORY, id, `${body} `);
  await house.settled();
  expect(await house.sessionsOf(later.number)).toHaveLength(1);
});

test("a label and an assignment ask for what the issue says", async () => {
  const body = standIn({ result: { summary: "As the issue says." } });
  const one = await ada().openIssue(REPOSITORY, { title: "Label", body });
  await ada().label(REPOSITORY, one.number, "claude");
  await house.said(one.number, "As the issue says.");
  expect(house.reactions(one.number)).toContain("thread eyes");
  const two = await ada().openIssue(REPOSITORY, { title: "Other label", body });
  await ada().label(REPOSITORY, two.number, "bug");
  await house.settled();
  expect(await house.sessionsOf(two.number)).toEqual([]);
});

test("help and status are answered at once, and need no session", async () => {
  const { number } = await ada().openIssue(REPOSITORY, { title: "Questions", body: "" });
  await ada().comment(REPOSITORY, number, `${BOT} help`);
  await house.said(number, "| say | to have |");
  await ada().comment(REPOSITORY, number, `${BOT} status`);
  await house.said(number, "Nothing has been asked of me here yet.");
  await ada().comment(REPOSITORY, number, `${BOT} review`);
  await house.said(number, "There is no pull request here to review.");
  expect(await house.sessionsOf(number)).toEqual([]);
});

test("stop ends what is at work, by word, by box, and by closing", async () => {
  const byWord = await asked([{ silentMs: 60_000 }]);
  await house.said(byWord.number, "**Working**");
  await ada().comment(REPOSITORY, byWord.number, `${BOT} stop`);
  await house.said(byWord.number, "**Stopped**");
  await waitFor(() => house.reactions(byWord.number).includes(`${byWord.id} confused`));
  // As after a crash, when all was done but to say so.
  await house.settled();
  const { db } = house.database;
  await db
    .updateTable("deliveries")
    .set({ state: "waiting", attempts: 0 })
    .where("thread", "like", `%#${byWord.number}`)
    .execute();
  await house.settled();
  expect(house.comments(byWord.number)).toHaveLength(3);

  const byBox = await asked([{ silentMs: 60_000 }]);
  const told = await house.said(byBox.number, "**Working**");
  const [own] = house.comments(byBox.number).slice(-1);
  await ada().editComment(REPOSITORY, own?.id ?? 0, told.replace("- [ ] Stop", "- [x] Stop"));
  await house.said(byBox.number, "**Stopped**");

  const byClosing = await asked([{ silentMs: 60_000 }]);
  await house.said(byClosing.number, "**Working**");
  await ada().close(REPOSITORY, byClosing.number);
  expect(await house.said(byClosing.number, "**Stopped**")).toContain("- [ ] Try again");
});

test("who asks again on the same thread waits for the first, and goes on with its conversation", async () => {
  const { number } = await asked([
    { write: { path: "one.md", content: "1" } },
    { commit: "One" },
    { silentMs: 1_500 },
    { result: { summary: "One." } },
  ]);
  await house.said(number, "**Working**");
  const more = standIn(
    { write: { path: "two.md", content: "2" } },
    { commit: "Two" },
    { result: { summary: "Two." } },
  );
  await ada().comment(REPOSITORY, number, `${BOT} and the second\n${more}`);
  await house.said(number, "Two.", 60_000);
  await house.said(number, "One.");
  const pulls = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
  expect(pulls).toHaveLength(1);
  const files = await house.repository.git("ls-tree", "--name-only", String(pulls[0]?.head));
  expect(files.split("\n")).toEqual(expect.arrayContaining(["one.md", "two.md"]));
});

test("on a pull request the work goes to its branch", async () => {
  await house.repository.push({ by: "ada", branch: "topic", files: { "t.md": "t\n" } });
  const { number } = await ada().openPull(REPOSITORY, { title: "Topic", head: "topic" });
  const steps = [
    { write: { path: "more.md", content: "m" } },
    { commit: "More" },
    { result: { summary: "More." } },
  ];
  const { id } = await ada().comment(REPOSITORY, number, `${BOT} more\n${standIn(...steps)}`);
  await house.said(number, /\*\*Done\*\*[^]*More\./);
  expect(await house.repository.git("show", "topic:more.md")).toBe("m");
  await waitFor(() => house.reactions(number).includes(`${id} hooray`));
  expect(house.pulls().filter(({ head }) => head === "topic")).toHaveLength(1);
  await ada().merge(REPOSITORY, number);
  await house.repository.deleteBranch("ada", "topic");
  const late = [{ write: { path: "late.md", content: "l" } }, { commit: "Late" }];
  const text = standIn(...late, { result: { summary: "Late." } });
  await ada().comment(REPOSITORY, number, `${BOT} and this\n${text}`);
  const told = await house.said(number, /\*\*Done\*\*[^]*Late\./);
  expect(told).toMatch(/\[open a pull request\]\([^)]*\/compare\/claude/);
});

test("a review and its comments are one wish, and a comment on lines is answered there", async () => {
  await house.repository.push({ by: "ada", branch: "lines", files: { "l.md": "a\nb\nc\n" } });
  const { number } = await ada().openPull(REPOSITORY, { title: "Lines", head: "lines" });
  const one = standIn({ result: { summary: "Both." } });
  await ada().review(REPOSITORY, number, {
    event: "COMMENT",
    body: `${BOT} see my comments\n${one}`,
    comments: [
      { path: "l.md", line: 1, side: "RIGHT", body: "not a" },
      { path: "l.md", line: 2, side: "RIGHT", body: `${BOT} not b` },
    ],
  });
  await house.said(number, "Both.");
  await house.settled();
  expect(await house.sessionsOf(number)).toHaveLength(1);
  await ada().review(REPOSITORY, number, {
    event: "COMMENT",
    comments: [
      {
        path: "l.md",
        line: 3,
        side: "RIGHT",
        body: `${BOT} why c?\n${standIn({ result: { summary: "Because." } })}`,
      },
    ],
  });
  const answer = await waitFor(() =>
    house.repository.state.reviewComments.find(
      ({ user, body }) => user.login === house.app.bot.login && body.includes("Because."),
    ),
  );
  expect(answer.inReplyTo).not.toBeNull();
});

test("a plan changes nothing", async () => {
  const tasks = [{ id: "cure", title: "First this.", requirements: "Cure it." }];
  const { number } = await asked(
    [{ write: { path: "plan.md", content: "p" } }, { result: { answer: { tasks } } }],
    "plan the cure",
  );
  await house.said(number, "First this.");
  expect(house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`))).toEqual([]);
});
