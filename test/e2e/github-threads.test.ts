import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    repository: { collaborators: { ada: "write", bob: "write" } },
    env: { CLAUDE_HUB_TRIGGER_CHANGES_REQUESTED: "true" },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

function writing(name: string): string {
  return standIn(
    { write: { path: `${name}.md`, content: name } },
    { commit: name },
    { result: { summary: `${name} done.` } },
  );
}

test("on the pull request of an issue's session its conversation goes on, and on the issue again after that", async () => {
  const { number } = await ada().openIssue(REPOSITORY, { title: "It hurts", body: "" });
  await ada().comment(REPOSITORY, number, `${BOT} begin\n${writing("first")}`);
  await house.said(number, "first done.");
  const [pull] = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
  if (pull === undefined) throw new Error("there is no pull request");
  // Both at once: one writes at a time.
  await Promise.all([
    ada().comment(REPOSITORY, pull.number, `${BOT} go on\n${writing("second")}`),
    ada().comment(REPOSITORY, number, `${BOT} and on\n${writing("third")}`),
  ]);
  await house.said(pull.number, "second done.");
  await house.said(number, "third done.");
  const files = await house.repository.git("ls-tree", "--name-only", pull.head);
  expect(files.split("\n")).toEqual(expect.arrayContaining(["first.md", "second.md", "third.md"]));
  expect(house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`))).toHaveLength(1);
});

test("an issue that was changed after the question is shown as it was then", async () => {
  const { number } = await ada().openIssue(REPOSITORY, {
    title: "Quiet",
    body: "Water the roses.",
  });
  const path = "/repos/{owner}/{repo}/issues/comments/{comment_id}";
  house.github.fault({ method: "GET", path, delayMs: 1_000, times: 1 });
  await ada().comment(
    REPOSITORY,
    number,
    `${BOT} do it\n${standIn({ result: { summary: "Watered." } })}`,
  );
  await ada().request("PATCH", `/repos/${REPOSITORY}/issues/${number}`, {
    body: "Burn the roses.",
  });
  await house.said(number, "Watered.");
  const { context } = await house.database.db
    .selectFrom("sessions as s")
    .innerJoin("thread_sessions as t", "t.session_id", "s.id")
    .select("s.context")
    .where("t.number", "=", number)
    .executeTakeFirstOrThrow();
  expect(context).toContain("Water the roses.");
  expect(context).not.toContain("Burn");
});

test("a review that requests changes of the bot's pull request is followed, and of nobody else's", async () => {
  await house.repository.push({ by: "ada", branch: "hers", files: { "h.md": "h\n" } });
  const hers = await ada().openPull(REPOSITORY, { title: "Hers", head: "hers" });
  const asks = (number: number, name: string) =>
    house.github.as("bob").review(REPOSITORY, number, {
      event: "REQUEST_CHANGES",
      body: `Not like this.\n${writing(name)}`,
    });
  await asks(hers.number, "never");
  const { number } = await ada().openIssue(REPOSITORY, { title: "For review", body: "" });
  await ada().comment(REPOSITORY, number, `${BOT} begin\n${writing("fourth")}`);
  await house.said(number, "fourth done.");
  const [pull] = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
  await asks(pull?.number ?? 0, "fifth");
  await house.said(pull?.number ?? 0, "fifth done.");
  expect(house.comments(hers.number)).toEqual([]);
});

test("another try of a review is a review, and what is deleted is told to be gone", async () => {
  await house.repository.push({ by: "ada", branch: "looked", files: { "l.md": "l\n" } });
  const { number } = await ada().openPull(REPOSITORY, { title: "Looked", head: "looked" });
  const ask = (words: string) => ada().comment(REPOSITORY, number, `${BOT} ${words}`);
  await ask(`review\n${standIn({ result: { summary: "Looked." } })}`);
  await house.said(number, "**Done**");
  await ask("retry");
  const { db } = house.database;
  const asked = db.selectFrom("thread_sessions").selectAll().where("number", "=", number);
  await waitFor(async () => (await asked.execute()).length === 2, { timeoutMs: 30_000 });
  const all = await asked.execute();
  expect(all.map(({ kind }) => kind)).toEqual(["review", "review"]);
  await waitFor(async () => (await asked.execute()).every(({ state }) => state === "told"), {
    timeoutMs: 60_000,
  });
  // As when their time to be kept is over.
  const ids = all.map(({ session_id: id }) => id);
  await db.deleteFrom("sessions").where("id", "in", ids).execute();
  await ask("status");
  await house.said(number, "is gone.");
});
