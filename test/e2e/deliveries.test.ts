import { sign } from "@octokit/webhooks-methods";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { startHub } from "../kit/hub/hub.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn, standInNoopPath } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const Delivery = z.looseObject({
  number: z.int(),
  id: z.string(),
  event: z.string(),
  sender: z.string().nullable(),
  state: z.string(),
  outcome: z.string().nullable(),
  repeats: z.int(),
});
const Page = z.object({ deliveries: z.array(Delivery), nextCursor: z.int().nullable() });
const Simulation = z.object({
  reason: z.string().nullable(),
  rules: z.array(
    z.object({ rule: z.string(), would: z.string().nullable(), why: z.string().nullable() }),
  ),
});

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({ env: { CLAUDE_HUB_CANCEL_GRACE_MS: "1000" } });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

async function ask(path: string, init: RequestInit = {}): Promise<unknown> {
  const answer = await house.hub.fetch(`/api/v1/deliveries${path}`, init);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return await answer.json();
}

async function list(query = "") {
  return Page.parse(await ask(query));
}

async function simulate(path: string, body?: unknown) {
  const init = body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_TYPE };
  return Simulation.parse(await ask(path, { method: "POST", ...init }));
}
const JSON_TYPE = { "content-type": "application/json" };

async function post(path: string): Promise<number> {
  return (await house.hub.fetch(`/api/v1/deliveries${path}`, { method: "POST" })).status;
}

/** The newest delivery of a comment of ada's on a thread, once it has been worked off. */
async function workedOff(number: number) {
  return await waitFor(async () => {
    const { deliveries } = await list(`?thread=${number}&event=issue_comment`);
    // The bot's own may be there, too.
    const newest = deliveries.find(({ sender }) => sender === "ada");
    return newest === undefined || newest.state === "waiting" ? undefined : newest;
  });
}

async function asked(words: string) {
  const { number } = await ada().openIssue(REPOSITORY, { title: "It hurts", body: "" });
  await ada().comment(REPOSITORY, number, words);
  return { number, delivery: await workedOff(number) };
}

test("what came is listed with what became of it, and shown without secrets", async () => {
  const secret = "ghp_0123456789abcdefghijABCDEFGHIJ0123456789";
  const { number, delivery } = await asked(`see ${secret}`);
  expect(delivery).toMatchObject({ state: "ignored", outcome: "the bot is not mentioned" });
  expect(delivery).not.toHaveProperty("payload");
  for (const key of [delivery.number, delivery.id]) {
    const whole = z
      .looseObject({ payload: z.looseObject({ comment: z.looseObject({ body: z.string() }) }) })
      .parse(await ask(`/${key}`));
    expect(whole).toMatchObject({ id: delivery.id, thread: number });
    expect(whole.payload.comment.body).toBe("see ***");
  }
  const [one, other] = [await list("?limit=1"), await list("?limit=2")];
  expect(one.nextCursor).toBe(one.deliveries[0]?.number);
  const next = await list(`?limit=1&cursor=${one.nextCursor}`);
  expect(next.deliveries).toEqual(other.deliveries.slice(1));
  expect((await list("?state=failed")).deliveries).toEqual([]);
  expect((await list("?repository=octo/other")).deliveries).toEqual([]);
  expect((await house.hub.fetch("/api/v1/deliveries/999999")).status).toBe(404);
  expect((await house.hub.fetch("/api/v1/deliveries?state=odd")).status).toBe(400);
});

test("a replay makes nothing twice", async () => {
  const { number, delivery } = await asked(
    `${BOT} do it\n${standIn({ result: { summary: "Did it." } })}`,
  );
  await house.said(number, "Did it.");
  expect(delivery.state).toBe("done");
  await waitFor(() => house.reactions(number).some((one) => one.endsWith("hooray")));
  const before = [house.comments(number).length, house.reactions(number)];
  expect(await post(`/${delivery.number}/replay`)).toBe(200);
  const again = await waitFor(async () => {
    const now = Delivery.parse(await ask(`/${delivery.number}`));
    return now.state === "waiting" ? undefined : now;
  });
  expect(again).toMatchObject({ state: "done", outcome: delivery.outcome });
  await house.github.settled();
  expect([house.comments(number).length, house.reactions(number)]).toEqual(before);
  const sessions = await house.hub.fetch(`/api/v1/sessions?repository=${REPOSITORY}`);
  const { sessions: all } = z
    .object({ sessions: z.array(z.unknown()) })
    .parse(await sessions.json());
  expect(all).toHaveLength(1);
  expect(await post("/999999/replay")).toBe(404);
});

test("what waits is not replayed", async () => {
  const fault = house.github.fault({
    path: "/repos/{owner}/{repo}/issues/comments/{comment_id}",
    status: 500,
  });
  const { number } = await ada().openIssue(REPOSITORY, { title: "Later", body: "" });
  await ada().comment(REPOSITORY, number, `${BOT} help`);
  const waiting = await waitFor(async () => {
    const [newest] = (await list(`?thread=${number}&event=issue_comment`)).deliveries;
    return newest?.outcome == null ? undefined : newest;
  });
  expect(waiting.state).toBe("waiting");
  expect(await post(`/${waiting.number}/replay`)).toBe(409);
  fault.clear();
  await house.said(number, "| say | to have |");
});

test("a simulation says for every rule what it would do and why, and writes nothing", async () => {
  const { number, delivery } = await asked("nothing yet");
  const written = () => house.github.requests.filter(({ method }) => method !== "GET").length;
  await house.github.settled();
  const before = written();
  const quiet = await simulate(`/${delivery.number}/simulate`);
  expect(quiet.reason).toBeNull();
  expect(quiet.rules).toContainEqual({
    rule: "mention",
    would: null,
    why: "the bot is not mentioned",
  });
  expect(quiet.rules).toContainEqual({
    rule: "closed",
    would: null,
    why: "it is not about such events",
  });
  const opened = house.repository.state.issues.find((one) => one.number === number);
  if (opened === undefined) throw new Error("it was opened");
  opened.body = `${BOT} fix it`;
  const { id } = house.repository.state;
  const upload = (login: string) => ({
    event: "issues",
    payload: {
      action: "opened",
      issue: { number },
      repository: { id, full_name: REPOSITORY },
      sender: { id: house.github.user(login).id, login, type: "User" },
    },
  });
  const asks = await simulate("/simulate", upload("ada"));
  expect(asks.rules).toContainEqual({
    rule: "mention",
    would: "follows the command fix",
    why: null,
  });
  opened.user = house.github.user("mallory");
  const stranger = await simulate("/simulate", upload("mallory"));
  expect(stranger.rules.find(({ rule }) => rule === "mention")?.would).toMatch(
    /^gives a sign that mallory has the permission/,
  );
  expect(await simulate("/simulate", { event: "ping", payload: {} })).toEqual({
    reason: "GitHub asks whether somebody listens",
    rules: [],
  });
  expect(house.reactions(number)).toEqual([]);
  expect(written() - before).toBe(0);
  const large = { event: "ping", payload: { a: "x".repeat(3_000_000) } };
  await expect(simulate("/simulate", large)).rejects.toThrow("413");
});

test("what ends work does so only where it is true still", async () => {
  const { number } = await asked(`${BOT} do it\n${standIn({ silentMs: 60_000 })}`);
  await house.said(number, "**Working**");
  const { id } = house.repository.state;
  const sender = { id: house.github.user("ada").id, login: "ada", type: "User" };
  const payload = { issue: { number }, repository: { id, full_name: REPOSITORY }, sender };
  const foreseen = async (action: string) => {
    const body = { event: "issues", payload: { ...payload, action } };
    const { rules } = await simulate("/simulate", body);
    const found = rules.find(({ rule }) => rule === "closed");
    return found?.would ?? found?.why;
  };
  expect(await foreseen("closed")).toBe("it is open again");
  expect(await foreseen("deleted")).toBe("it is there, and open");
  expect(await foreseen("transferred")).toContain("ends 1 sessions");
  const { issues } = house.repository.state;
  issues.splice(
    issues.findIndex((one) => one.number === number),
    1,
  );
  expect(await foreseen("deleted")).toContain("ends 1 sessions");
});

test("an event that nobody listens to is kept with the reason", async () => {
  const id = "0b2f2d10-0000-11f0-9d8e-000000000001";
  const again = async () => {
    const body = JSON.stringify({ repository: { id: 1, full_name: REPOSITORY } });
    const answer = await house.hub.fetch("/api/webhooks/github", {
      method: "POST",
      body,
      headers: {
        ...JSON_TYPE,
        "x-github-event": "gollum",
        "x-github-delivery": id,
        "x-hub-signature-256": await sign(house.app.webhookSecret, body),
      },
    });
    return answer.status;
  };
  expect([await again(), await again()]).toEqual([404, 404]);
  expect(await ask(`/${id}`)).toMatchObject({
    state: "ignored",
    outcome: "the hub does not listen to such events",
    repeats: 1,
  });
});

test("without an account on the forge a simulation says so", async () => {
  await using hub = await startHub({
    databaseUrl: house.databaseUrl,
    agentPath: standInNoopPath,
  });
  const answer = await hub.fetch("/api/v1/deliveries/simulate", {
    method: "POST",
    headers: JSON_TYPE,
    body: JSON.stringify({ event: "issues", payload: {} }),
  });
  expect(await answer.json()).toEqual({
    reason: "the hub has no account on the forge",
    rules: [],
  });
});
