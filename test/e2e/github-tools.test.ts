import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({ env: { CLAUDE_HUB_CANCEL_GRACE_MS: "1000" } });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

async function asked(steps: StandInStep[], words = "please do this"): Promise<number> {
  const { number } = await ada().openIssue(REPOSITORY, { title: "It hurts", body: "See below" });
  await ada().comment(REPOSITORY, number, `${BOT} ${words}\n${standIn(...steps)}`);
  return number;
}

async function sessionOf(number: number): Promise<string> {
  const [id] = await house.sessionsOf(number);
  if (id === undefined) throw new Error(`nothing was asked on #${number}`);
  return id;
}

/** Bodies of a session's events of one kind. */
async function told(number: number, kind: string) {
  const events = await house.hub.events(await sessionOf(number));
  return events.filter((one) => one.kind === kind).map(({ body }) => body);
}

const own = (number: number) =>
  house.comments(number).filter(({ author }) => author === house.app.bot.login);

const progress = (step: string, ...done: ("pending" | "in_progress" | "completed")[]) => ({
  tool: {
    name: "report_progress",
    input: { step, plan: done.map((status, at) => ({ text: `Part ${at + 1}`, status })) },
  },
});

const say = (body: string) => ({ tool: { name: "comment", input: { body } } });
const label = (...labels: string[]) => ({ tool: { name: "add_labels", input: { labels } } });
/** Goes on when the test lets it. */
const waits = (name: string) => ({ run: `until [ -e ~/${name} ]; do sleep 0.1; done` });

async function letGoOn(number: number, name: string): Promise<void> {
  const { containerId } = await house.hub.get(await sessionOf(number));
  await writeFile(join(house.hub.dir, "sandboxes", containerId, "home", name), "");
}

test("what an agent reports is a checklist that ticks in the one comment", async () => {
  const number = await asked([
    progress("Looking @everybody", "in_progress", "pending"),
    { print: "This is not what is shown as the step." },
    waits("one"),
    progress("Mending", "completed", "in_progress"),
    waits("two"),
    { result: { summary: "Mended." } },
  ]);
  const first = await house.said(number, "**Part 1**");
  expect(first).toContain("- [ ] **Part 1**\n- [ ] Part 2");
  expect(first).toContain("*Looking @\u2060everybody*");
  await letGoOn(number, "one");
  const second = await house.said(number, /\*\*Working\*\*[^]*- \[x\] Part 1/);
  expect(second).toContain("*Mending*");
  await letGoOn(number, "two");
  await house.said(number, "**Done**");
  expect(own(number)).toHaveLength(1);
  expect(await told(number, "request.granted")).toHaveLength(2);
});

test("an agent opens its pull request, once, and the end finds it", async () => {
  const pull = {
    name: "create_pull_request",
    input: { title: "The cure", body: "Rest. Closes #1" },
  };
  const number = await asked([
    { tool: pull },
    { write: { path: "cure.md", content: "rest\n" } },
    { commit: "Add the cure" },
    { push: true },
    { tool: pull },
    { tool: pull },
    { tool: { ...pull, input: { title: "Another", body: "" } } },
    { result: { summary: "Wrote the cure." } },
  ]);
  const end = await house.said(number, "**Done**");
  const pulls = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
  expect(pulls).toMatchObject([{ title: "The cure", isDraft: true }]);
  expect(pulls[0]?.body).toContain("Rest. Closes #\u20601");
  expect(end).toContain(`/pull/${pulls[0]?.number}`);
  expect(await told(number, "request.granted")).toHaveLength(1);
  expect(await told(number, "request.refused")).toMatchObject([
    { tool: "create_pull_request", reason: expect.stringContaining("nothing has been pushed") },
    { tool: "create_pull_request", reason: expect.stringContaining("1 times") },
  ]);
});

test("an agent comments on its own thread, three times at most, and calls nobody", async () => {
  const secret = `ghs_${"a".repeat(40)}`;
  const number = await asked([
    say(`One, ${BOT} @ada <!-- claude-hub x --> ${secret}`),
    say(`One, ${BOT} @ada <!-- claude-hub x --> ${secret}`),
    say("Two"),
    say("Three"),
    say("Four"),
    { result: { summary: "Said it." } },
  ]);
  await house.said(number, "Said it.");
  const texts = own(number).map(({ body }) => body);
  expect(texts).toHaveLength(4);
  const one = texts.find((body) => body.startsWith("One"));
  expect(one).toContain("@\u2060ada");
  expect(one).not.toContain(secret);
  expect(texts.some((body) => body.startsWith("Four"))).toBe(false);
  const [{ reason } = { reason: "" }] = await told(number, "request.refused");
  expect(reason).toContain("3 times");
});

test("an agent adds labels that there are, once", async () => {
  const number = await asked([
    label("nonsense"),
    label("Bug"),
    label("enhancement"),
    { result: { summary: "Labelled." } },
  ]);
  await house.said(number, "Labelled.");
  const issue = house.repository.state.issues.find((one) => one.number === number);
  expect(issue?.labels.map((one) => (typeof one === "string" ? one : one.name))).toEqual(["bug"]);
  expect(await told(number, "request.refused")).toHaveLength(2);
});

test("bad arguments, unknown tools and sessions that were not asked for on a thread get an answer that says why", async () => {
  const number = await asked([
    { tool: { name: "comment", input: { text: "x" } } },
    { tool: { name: "report_progress", input: { step: 7 } } },
    { tool: { name: "approve", input: {} } },
    { result: { summary: "Tried." } },
  ]);
  await house.said(number, "Tried.");
  const answers = (await told(number, "tool.returned")).map(({ text }) => JSON.stringify(text));
  expect(answers[0]).toMatch(/-32602.*body.*/s);
  expect(answers[1]).toMatch(/-32602.*step/s);
  expect(answers[2]).toMatch(/-32602.*there is no such tool/s);
  expect(await told(number, "request.refused")).toHaveLength(3);

  const { id } = await house.hub.create({
    type: "implementation",
    project: {
      repository: REPOSITORY,
      requirements: standIn(
        { tool: { name: "comment", input: { body: "x" } } },
        { run: 'curl -s -X POST "$ANTHROPIC_BASE_URL/../tools" -d {}' },
      ),
    },
  });
  await house.hub.start(id);
  await house.hub.until(id);
  const printed = (await house.hub.events(id)).filter(({ kind }) => kind === "tool.returned");
  expect(printed[0]?.body["text"]).toBe("there are no tools of the hub");
  expect(printed[1]?.body["text"]).toContain("the session has no tools of the hub");
});

test("a session's tools outlive the hub that began them, and what was done is not done again", async () => {
  const number = await asked([
    say("First"),
    waits("on"),
    say("First"),
    say("Second"),
    { result: { summary: "Both." } },
  ]);
  await house.said(number, "First");
  await house.hub.kill();
  await house.hub.restart();
  house.connect();
  await letGoOn(number, "on");
  await house.said(number, "Both.", 60_000);
  const texts = own(number).map(({ body }) => body.split("\n")[0]);
  expect(texts.filter((text) => text === "First")).toHaveLength(1);
  await waitFor(() => own(number).some(({ body }) => body.startsWith("Second")));
  expect(own(number)).toHaveLength(3);
});
