import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { createReceiver } from "../kit/github/receiver.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({ env: { CLAUDE_HUB_CATCH_UP_MS: "500" } });
  await waitFor(async () => (await checkpoint()) !== undefined, { what: "a first look" });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

async function checkpoint(): Promise<Date | null | undefined> {
  const row = await house.database.db
    .selectFrom("delivery_checkpoints")
    .select("delivered_at")
    .where("hook", "=", "app")
    .executeTakeFirst();
  return row?.delivered_at;
}

/** Everything that GitHub has sent so far has been looked at. */
async function caughtUp(): Promise<void> {
  await house.github.settled();
  const sent = house.app.hook.deliveries.at(-1)?.deliveredAt ?? "";
  await waitFor(async () => ((await checkpoint())?.getTime() ?? 0) >= Date.parse(sent), {
    what: "deliveries to be looked at",
  });
}

async function deliveriesOf(number: number) {
  return await house.database.db
    .selectFrom("deliveries")
    .select(["delivery_id", "state", "outcome", "received_at", "number"])
    .where("thread", "like", `%#${number}`)
    .where("event", "=", "issue_comment")
    .where("sender", "=", "ada")
    .orderBy("number")
    .execute();
}

function mention(summary: string): string {
  return `${BOT} please\n${standIn({ result: { summary } })}`;
}

test("what is asked while the hub is down is done when it is back, once and in order", async () => {
  const { number } = await ada().openIssue(REPOSITORY, { title: "Asleep", body: "" });
  await house.github.settled();
  await house.hub.stop();
  await ada().comment(REPOSITORY, number, mention("First."));
  await ada().comment(REPOSITORY, number, mention("Second."));
  await house.github.settled();
  await house.hub.restart();
  house.connect();
  await house.said(number, "First.");
  await house.said(number, "Second.");
  await caughtUp();
  expect(await house.sessionsOf(number)).toHaveLength(2);
  const missed = house.app.hook.deliveries.filter(
    ({ event, statusCode }) => event === "issue_comment" && statusCode === 502,
  );
  const taken = await deliveriesOf(number);
  expect(taken.map(({ delivery_id: id }) => id)).toEqual(missed.map(({ guid }) => guid));
  expect(taken.map(({ received_at: at }) => at.toISOString())).toEqual(
    missed.map(({ deliveredAt }) => new Date(deliveredAt).toISOString()),
  );
});

test("what was answered with 500 is caught up", async () => {
  await using broken = await createReceiver();
  broken.answerWith(500);
  house.app.hook.url = broken.url;
  const { number } = await ada().openIssue(REPOSITORY, { title: "Broken", body: "" });
  await ada().comment(REPOSITORY, number, mention("Caught."));
  await house.github.settled();
  house.connect();
  await house.said(number, "Caught.");
  expect(await house.sessionsOf(number)).toHaveLength(1);
});

test("what had come, and whose answer was lost, is not taken twice", async () => {
  const { number } = await ada().openIssue(REPOSITORY, { title: "Lost", body: "" });
  await ada().comment(REPOSITORY, number, mention("Once."));
  await house.said(number, "Once.");
  await house.github.settled();
  const sent = house.app.hook.deliveries.filter(({ event }) => event === "issue_comment");
  for (const one of sent) Object.assign(one, { statusCode: 504, status: "timed out" });
  await house.database.db
    .updateTable("delivery_checkpoints")
    .set({ delivered_at: new Date(0) })
    .where("hook", "=", "app")
    .execute();
  await caughtUp();
  expect(await deliveriesOf(number)).toHaveLength(1);
  expect(await house.sessionsOf(number)).toHaveLength(1);
});

test("what GitHub does not give for a while is asked for again", async () => {
  const fault = house.github.fault({ path: "/app/hook/deliveries/{delivery_id}", status: 502 });
  await using broken = await createReceiver();
  broken.answerWith(503);
  house.app.hook.url = broken.url;
  const { number } = await ada().openIssue(REPOSITORY, { title: "Later", body: "" });
  await ada().comment(REPOSITORY, number, mention("At last."));
  await house.github.settled();
  house.connect();
  await waitFor(() => fault.hits > 1, { what: "it to be asked for" });
  expect(await house.sessionsOf(number)).toHaveLength(0);
  fault.clear();
  await house.said(number, "At last.");
});

// The last one: GitHub's clock stays wrong.
test("the clocks need not agree", async () => {
  const hour = 3_600_000;
  house.github.advance(2 * hour);
  await using broken = await createReceiver();
  broken.answerWith(500);
  house.app.hook.url = broken.url;
  const { number } = await ada().openIssue(REPOSITORY, { title: "Tomorrow", body: "" });
  await ada().comment(REPOSITORY, number, "hm");
  await house.github.settled();
  const sent = house.app.hook.deliveries.at(-1)?.deliveredAt ?? "";
  const [taken] = await waitFor(
    async () => {
      const found = await deliveriesOf(number);
      return found.length === 0 ? undefined : found;
    },
    { what: "the delivery", timeoutMs: 30_000 },
  );
  expect(taken?.received_at).toEqual(new Date(sent));
  expect(taken?.received_at.getTime()).toBeGreaterThan(Date.now() + hour);
});
