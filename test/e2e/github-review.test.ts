import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const NEVER = "86400000";
const PATIENCE = { timeoutMs: 60_000, intervalMs: 100 };

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    env: {
      PR_REVIEW: "everybody",
      PR_REVIEW_DEBOUNCE_MS: "300",
      PR_REVIEW_MAX_WAIT_MS: NEVER,
      PR_REVIEW_CONDITIONAL_TIMEOUT_MS: NEVER,
      CLAUDE_HUB_CANCEL_GRACE_MS: "1000",
    },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");
const saying = (summary: string): StandInStep => ({ result: { summary } });

/** A pull request of `ada`'s whose reviewer does these steps. */
async function pulled(branch: string, steps: StandInStep[], more: { draft?: boolean } = {}) {
  const files = { [`${branch}.md`]: "one\ntwo\nthree\n" };
  const sha = await house.repository.push({ by: "ada", branch, files });
  const body = standIn(...steps);
  const { number } = await ada().openPull(REPOSITORY, {
    title: branch,
    head: branch,
    body,
    ...more,
  });
  return { number, sha };
}

function green(ref: string, workflow = "ci") {
  const jobs = [{ name: workflow, conclusion: "success" }];
  return house.repository.runWorkflow({ ref, by: "ada", workflow, jobs });
}

/** Of the bot. */
function reviewsOf(number: number) {
  const issue = house.repository.state.issues.find((one) => one.number === number);
  const reviews = issue?.pull?.reviews ?? [];
  return reviews
    .filter(({ user }) => user.login === house.app.bot.login)
    .map(({ state, body, sha }) => ({ state, body, sha }));
}

const reviewed = (number: number) =>
  waitFor(() => reviewsOf(number).at(0), { ...PATIENCE, what: `a review of #${number}` });

async function gateOf(number: number, sha: string) {
  return await house.database.db
    .selectFrom("review_gates")
    .select(["state", "reason", "session_id", "looked"])
    .where("number", "=", number)
    .where("sha", "=", sha)
    .executeTakeFirst();
}

const gateIs = (number: number, sha: string, state: string) =>
  waitFor(
    async () => {
      const gate = await gateOf(number, sha);
      return gate?.state === state && gate.looked > 0 ? gate : undefined;
    },
    { ...PATIENCE, what: `#${number} to be ${state}` },
  );

test("what is green is reviewed once, at its head, and nothing else is said", async () => {
  const { number, sha } = await pulled("green", [saying("Reads well. @everybody")]);
  await gateIs(number, sha, "armed");
  await Promise.all([green("green", "ci"), green("green", "lint")]);
  await house.repository.setStatus("green", { by: "ada", context: "old", state: "success" });
  const review = await reviewed(number);
  expect(review).toMatchObject({ state: "COMMENTED", sha });
  expect(review.body).toContain("Reads well.");
  expect(review.body).not.toContain("@everybody");
  const { session_id: id } = await gateIs(number, sha, "done");
  await green("green", "late");
  await settled();
  expect(reviewsOf(number)).toHaveLength(1);
  expect(house.comments(number)).toEqual([]);
  const cloned = (await house.hub.events(id ?? "")).find(({ kind }) => kind === "workspace.cloned");
  expect(cloned?.body["sha"]).toBe(sha);
});

test("what is red, or not through, is not reviewed; a status alone is enough", async () => {
  const red = await pulled("red", [saying("No.")]);
  await house.repository.runWorkflow({
    ref: "red",
    by: "ada",
    jobs: [
      { name: "test", conclusion: "failure" },
      { name: "lint", conclusion: "skipped" },
    ],
  });
  await gateIs(red.number, red.sha, "waiting");
  const { number, sha } = await pulled("status", [saying("By its status.")]);
  const say = (state: "pending" | "success") =>
    house.repository.setStatus("status", { by: "ada", context: "ci", state });
  await say("pending");
  await gateIs(number, sha, "waiting");
  await say("success");
  await reviewed(number);
  expect(reviewsOf(red.number)).toEqual([]);
});

test("who says stop ends a review that nobody asked for", async () => {
  const { number, sha } = await pulled("halted", [{ silentMs: 60_000 }]);
  await green("halted");
  const { session_id: id } = await gateIs(number, sha, "reviewing");
  await waitFor(async () => (await house.hub.get(id ?? "")).status === "running", PATIENCE);
  await ada().comment(REPOSITORY, number, `${BOT} stop`);
  expect(await gateIs(number, sha, "skipped")).toMatchObject({ reason: "somebody has stopped it" });
  expect((await house.hub.until(id ?? "")).status).toBe("cancelled");
  expect(reviewsOf(number)).toEqual([]);
});

test("a push ends the review of what it was, and what it is now is reviewed", async () => {
  const { number, sha } = await pulled("moving", [{ silentMs: 4_000 }, saying("Moved.")]);
  await green("moving");
  const { session_id: old } = await gateIs(number, sha, "reviewing");
  await waitFor(async () => (await house.hub.get(old ?? "")).status === "running", PATIENCE);
  const files = { "more.md": "more\n" };
  const next = await house.repository.push({ by: "ada", branch: "moving", files });
  expect(await gateIs(number, sha, "superseded")).toBeDefined();
  expect((await house.hub.until(old ?? "")).status).toBe("cancelled");
  await green("moving");
  expect(await reviewed(number)).toMatchObject({ sha: next });
  expect(reviewsOf(number)).toHaveLength(1);
});

test("a fork's pull request is reviewed at its own commit", async () => {
  house.github.user("eve");
  const fork = await house.repository.fork("eve");
  const sha = await fork.push({ by: "eve", branch: "gift", files: { "gift.md": "gift\n" } });
  const body = standIn({ run: "cat gift.md" }, saying("A gift."));
  const { number } = await house.github
    .as("eve")
    .openPull(REPOSITORY, { title: "Gift", head: "eve:gift", body });
  await gateIs(number, sha, "armed");
  await house.repository.setStatus(sha, { by: "ada", context: "ci", state: "success" });
  expect(await reviewed(number)).toMatchObject({ sha });
  const { session_id: id } = await gateIs(number, sha, "done");
  const returned = (await house.hub.events(id ?? "")).find(({ kind }) => kind === "tool.returned");
  expect(JSON.stringify(returned?.body)).toContain("gift");
});

test("drafts and what was closed are left alone", async () => {
  const draft = await pulled("draft", [saying("Now.")], { draft: true });
  const { number, sha } = await pulled("closed", [saying("No.")]);
  await gateIs(number, sha, "armed");
  // As if such deliveries came late: it is open, and no draft.
  expect(await foreseen(number, "closed")).toContain("it is open, and no draft");
  expect(await foreseen(number, "converted_to_draft")).toContain("it is open, and no draft");
  await ada().close(REPOSITORY, number);
  await Promise.all([green("draft"), green("closed")]);
  expect(await gateIs(number, sha, "skipped")).toMatchObject({ reason: "it was closed" });
  await settled();
  expect(await gateOf(draft.number, draft.sha)).toBeUndefined();
  expect([...reviewsOf(number), ...reviewsOf(draft.number)]).toEqual([]);
  await house.repository.setDraft("ada", draft.number, false);
  expect(await reviewed(draft.number)).toMatchObject({ sha: draft.sha });
});

test("who asks for a review has one at once, and the comment leads to it", async () => {
  const { number, sha } = await pulled("asked", []);
  const words = `${BOT} review\n${standIn(saying("As you wished."))}`;
  await ada().comment(REPOSITORY, number, words);
  const told = await house.said(number, /\*\*Done\*\*[^]*\[Review\]\(/, 60_000);
  expect(told).not.toContain("As you wished.");
  expect(reviewsOf(number)).toMatchObject([{ sha, state: "COMMENTED" }]);
  expect(reviewsOf(number)[0]?.body).toContain("As you wished.");
});

test("a hub that is killed while somebody reviews submits one review", async () => {
  const { number, sha } = await pulled("crash", [{ silentMs: 3_000 }, saying("Once.")]);
  await green("crash");
  const { session_id: id } = await gateIs(number, sha, "reviewing");
  await waitFor(async () => (await house.hub.get(id ?? "")).status === "running", PATIENCE);
  await house.hub.kill();
  await house.hub.restart();
  house.connect();
  await gateIs(number, sha, "done");
  expect(reviewsOf(number)).toHaveLength(1);
});

const remark = (line: number, body: string, path = "lines.md"): StandInStep => ({
  tool: { name: "add_review_comment", input: { path, line, body, severity: "high" } },
});

test("what GitHub does not take on lines is said in the review itself", async () => {
  const steps = [remark(2, "Two?", "odd.md"), saying("Odd.")];
  const { number } = await pulled("odd", steps);
  const path = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";
  const fault = house.github.fault({ method: "POST", path, status: 422, times: 1 });
  await green("odd");
  const { body } = await reviewed(number);
  expect(fault.hits).toBe(1);
  expect(body).toContain("Odd.");
  expect(body).toContain("Two?");
});

test("findings stand on lines of the difference, and are not said again after the next push", async () => {
  const { number } = await pulled("lines", [
    remark(2, "Two is a number that nobody expects here, @ada."),
    remark(3, "Two is a number that nobody expects here."),
    remark(99, "There is no such line."),
    { tool: { name: "submit_review", input: { summary: "Two.", verdict: "request_changes" } } },
    { tool: { name: "submit_review", input: { summary: "Again." } } },
    saying("Submitted."),
  ]);
  await green("lines");
  expect(await reviewed(number)).toMatchObject({ state: "CHANGES_REQUESTED" });
  const comments = () =>
    house.repository.state.reviewComments.filter(({ issue }) => issue.number === number);
  expect(comments().map(({ path, line }) => `${path}:${line}`)).toEqual(["lines.md:2"]);
  expect(comments()[0]?.body).toMatch(/^\*\*Important:\*\* Two is a number/);
  expect(comments()[0]?.body).not.toContain("@ada");
  await settled();
  const files = { "other.md": "other\n" };
  const sha = await house.repository.push({ by: "ada", branch: "lines", files });
  await gateIs(number, sha, "armed");
  await green("lines");
  const { session_id: id } = await gateIs(number, sha, "done");
  expect(comments()).toHaveLength(1);
  expect(reviewsOf(number)).toHaveLength(2);
  const refused = (await house.hub.events(id ?? "")).filter(
    ({ kind }) => kind === "request.refused",
  );
  const reasons = JSON.stringify(refused.map(({ body }) => body["reason"]));
  expect(reasons).toContain("An earlier review of yours");
  expect(reasons).toContain("not part of the difference");
  expect(reasons).toContain("has been submitted");
});

test("time decides where checks do not: none come, or they do not end", async () => {
  await using hasty = await openGitHubHouse({
    env: {
      PR_REVIEW_DEBOUNCE_MS: "0",
      PR_REVIEW_MAX_WAIT_MS: "3000",
      PR_REVIEW_CONDITIONAL_TIMEOUT_MS: "500",
      PR_REVIEW_WHEN_LATE: "review",
    },
  });
  const { repository, github } = hasty;
  const open = async (head: string, by: string) => {
    await repository.push({ by: "ada", branch: head, files: { [`${head}.md`]: "x\n" } });
    const body = standIn(saying(`About ${head}.`));
    return (await github.as(by).openPull(REPOSITORY, { title: head, head, body })).number;
  };
  const bodies = () =>
    repository.state.issues.flatMap(({ pull }) => pull?.reviews.map(({ body }) => body) ?? []);
  await repository.push({ by: "ada", branch: "slow", files: { "slow.md": "x\n" } });
  await repository.setStatus("slow", { by: "ada", context: "ci", state: "pending" });
  await open("slow", "ada");
  await open("none", "ada");
  // Nobody who may ask for work.
  await open("tims", "tim");
  await waitFor(() => bodies().some((one) => one.includes("About none.")), PATIENCE);
  await waitFor(() => bodies().some((one) => one.includes("About slow.")), PATIENCE);
  expect(bodies()).toHaveLength(2);
}, 120_000);

/** What would come of such a delivery. */
async function foreseen(number: number, action: string): Promise<string> {
  const repository = { id: house.repository.state.id, full_name: REPOSITORY };
  const sender = { id: house.github.user("ada").id, login: "ada", type: "User" };
  const payload = { action, pull_request: { number }, repository, sender };
  const answer = await house.hub.fetch("/api/v1/deliveries/simulate", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ event: "pull_request", payload }),
  });
  return await answer.text();
}

/** Every delivery has been worked off, and no gate is due. */
async function settled(): Promise<void> {
  await house.github.settled();
  await waitFor(async () => {
    const { db } = house.database;
    const waiting = db.selectFrom("deliveries").select("number").where("state", "=", "waiting");
    const states = ["ready", "reviewing"];
    const busy = db.selectFrom("review_gates").select("number").where("state", "in", states);
    return (await waiting.execute()).length + (await busy.execute()).length === 0;
  }, PATIENCE);
}
