import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { MATRIX } from "../kit/bot/github-matrix.ts";
import type { Row } from "../kit/bot/github-matrix.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { Scenario } from "../kit/model/scenario.ts";
import { waitFor } from "../kit/wait.ts";

const ROOT = join(import.meta.dirname, "../..");
const LONG = { timeout: 120_000 };
const SAID_MS = 60_000;

/** What the model does when it reads the word: a file and a commit of that name, or nothing but an answer. */
const works = (word: string) => ({
  match: whole(word),
  steps: [
    {
      toolCalls: [
        {
          name: "Bash",
          input: {
            command: `echo ${word} > ${word}.md && git add -A && git commit -q -m 'Add ${word}'`,
            description: "Work",
          },
        },
      ],
    },
    answers(word),
  ],
});
const looks = (word: string) => ({ match: whole(word), steps: [answers(word)] });
function whole(word: string) {
  return { regex: `\\b${word}\\b` };
}
function answers(word: string) {
  return { structured: { summary: `Did ${word}.`, nextSteps: [] } };
}
const LARCH = {
  summary: "Plant it.",
  tasks: [{ id: "larch", title: "A larch", requirements: "Plant the larch." }],
};

const SCENARIO = Scenario.parse({
  conversations: [
    { match: "Make a plan for the request below", steps: [{ structured: LARCH }] },
    { match: "Try once more what was asked", steps: works("hazel").steps },
    { match: whole("hazel"), steps: [{ text: "I think about it.", delayMs: 90_000 }] },
    ...["larch", "alder", "birch", "cedar", "dogwood", "elm", "fir"].map(works),
    ...["oak", "pine", "rowan", "spruce"].map(looks),
  ],
});

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    agent: "real",
    runtime: "bubblewrap",
    scenario: SCENARIO,
    env: { CLAUDE_HUB_TRIGGER_LABEL: "claude" },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

async function issue(body = ""): Promise<number> {
  return (await ada().openIssue(REPOSITORY, { title: "It hurts", body })).number;
}

/** A pull request of `ada`'s own. */
async function pull(branch: string): Promise<number> {
  await house.repository.push({ by: "ada", branch, files: { [`${branch}.txt`]: "a\nb\n" } });
  return (await ada().openPull(REPOSITORY, { title: branch, head: branch })).number;
}

async function comment(number: number, words: string): Promise<number> {
  return (await ada().comment(REPOSITORY, number, `${BOT} ${words}`)).id;
}

async function done(number: number, word: string): Promise<string> {
  return await house.said(number, new RegExp(`\\*\\*Done\\*\\*[^]*Did ${word}\\.`), SAID_MS);
}

/** What was found stands in the review that was submitted, or in the comment. */
async function reviewed(number: number, word: string): Promise<void> {
  await house.said(number, "**Done**", SAID_MS);
  const thread = house.repository.state.issues.find((one) => one.number === number);
  const said = [...house.comments(number), ...(thread?.pull?.reviews ?? [])];
  expect(said.map(({ body }) => body).join("\n")).toContain(`Did ${word}.`);
}

/** A draft that fixes the issue holds what the model was told to do. */
async function fixed(number: number, word: string): Promise<void> {
  await done(number, word);
  const [draft] = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
  expect(draft).toMatchObject({ isDraft: true });
  expect(await house.repository.git("show", `${draft?.head}:${word}.md`)).toBe(word);
}

async function heard(number: number, what: string): Promise<void> {
  await waitFor(() => house.reactions(number).includes(`${what} hooray`), { timeoutMs: SAID_MS });
  expect(house.reactions(number)).toEqual([`${what} eyes`, `${what} hooray`]);
}

const SCENES: Record<string, () => Promise<void>> = {
  async "a comment on an issue"() {
    const number = await issue();
    const id = await comment(number, "alder");
    await fixed(number, "alder");
    await heard(number, String(id));
  },
  async "a comment on a pull request"() {
    const number = await pull("topic");
    const id = await comment(number, "birch");
    await done(number, "birch");
    expect(await house.repository.git("show", "topic:birch.md")).toBe("birch");
    await heard(number, String(id));
  },
  async "a plan, and then its execution"() {
    const number = await issue();
    await comment(number, "plan larch");
    await house.said(number, "1. **larch**: A larch", SAID_MS);
    expect(house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`))).toEqual([]);
    await comment(number, "go");
    await house.said(number, /\*\*Done\*\*[^]*- \[x\] A larch/, SAID_MS);
    const [draft] = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
    expect(draft).toMatchObject({ isDraft: true, title: "Plant it." });
    expect(await house.repository.git("show", `${draft?.head}:larch.md`)).toBe("larch");
  },
  async "a comment that asks for a review"() {
    const number = await pull("reviewed");
    await comment(number, "review oak");
    await reviewed(number, "oak");
    expect(await house.repository.git("log", "--format=%s", "main..reviewed")).toBe("Change");
  },
  async "a mention edited into a comment"() {
    const number = await issue();
    const { id } = await ada().comment(REPOSITORY, number, "hm");
    await ada().editComment(REPOSITORY, id, `${BOT} cedar`);
    await fixed(number, "cedar");
    await heard(number, String(id));
  },
  async "the box to try again"() {
    const number = await issue();
    await comment(number, "hazel");
    await house.said(number, "**Working**", SAID_MS);
    await comment(number, "stop");
    const told = await house.said(number, "- [ ] Try again", SAID_MS);
    const own = house.comments(number).find(({ author }) => author === house.app.bot.login);
    const ticked = told.replace("- [ ] Try again", "- [x] Try again");
    await ada().editComment(REPOSITORY, own?.id ?? 0, ticked);
    await fixed(number, "hazel");
  },
  async "a mention in an issue's own text"() {
    const number = await issue(`${BOT} dogwood`);
    await fixed(number, "dogwood");
    await heard(number, "thread");
  },
  async "the trigger's label"() {
    const number = await issue("elm");
    await ada().label(REPOSITORY, number, "claude");
    await fixed(number, "elm");
    await heard(number, "thread");
  },
  async "the bot as assignee"() {
    const number = await issue("fir");
    const assignees = [house.app.bot.login];
    const path = `/repos/${REPOSITORY}/issues/${number}/assignees`;
    await ada().request("POST", path, { assignees });
    await fixed(number, "fir");
    await heard(number, "thread");
  },
  async "the bot as reviewer"() {
    const number = await pull("rowan");
    const reviewers = [house.app.bot.login];
    const path = `/repos/${REPOSITORY}/pulls/${number}/requested_reviewers`;
    await ada().request("POST", path, { reviewers });
    await reviewed(number, "rowan");
    await heard(number, "thread");
  },
  async "a review with comments"() {
    const number = await pull("lines");
    const on = { path: "lines.txt", side: "RIGHT" };
    await ada().review(REPOSITORY, number, {
      event: "COMMENT",
      body: `${BOT} pine`,
      comments: [
        { ...on, line: 1, body: "not a" },
        { ...on, line: 2, body: `${BOT} not b` },
      ],
    });
    await done(number, "pine");
    const own = house.comments(number).filter(({ author }) => author === house.app.bot.login);
    expect(own).toHaveLength(1);
  },
  async "a comment on lines"() {
    const number = await pull("line");
    await ada().review(REPOSITORY, number, {
      event: "COMMENT",
      comments: [{ path: "line.txt", line: 1, side: "RIGHT", body: `${BOT} spruce` }],
    });
    const answer = await waitFor(
      () =>
        house.repository.state.reviewComments.find(
          ({ user, body }) => user.login === house.app.bot.login && body.includes("Did spruce."),
        ),
      { timeoutMs: SAID_MS },
    );
    expect(answer.inReplyTo).not.toBeNull();
  },
};

const played = MATRIX.filter((row): row is Extract<Row, { play: string }> => "play" in row);

test("the matrix names tests that there are, and every scene is in it", async () => {
  for (const row of MATRIX) {
    if ("play" in row) continue;
    const text = await readFile(join(ROOT, row.file), "utf8");
    expect(text, `${row.file}: ${row.test}`).toContain(`"${row.test}"`);
  }
  expect(Object.keys(SCENES).toSorted()).toEqual(played.map(({ play }) => play).toSorted());
});

test.each(played)("$on: $play, by the real Claude Code", LONG, async ({ play }) => {
  const scene = SCENES[play];
  expect(scene).toBeDefined();
  await scene?.();
});
