import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/database.ts";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { createSender } from "../kit/bot/github-corpus.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { isRunning } from "../kit/process.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

/** More than any story has. */
const MAX_WRITES = 25;
/** Less than any lease: what the killed hub was at is gone on with by the next one, and not when its time is up. */
const GONE_ON_MS = 50_000;
const WRITES = {
  method: ["POST", "PATCH", "PUT", "DELETE"],
  path: /^\/repos\/|git-receive-pack$/,
};

let house: GitHubHouse;
let database: Database;
let sender: ReturnType<typeof createSender>;
beforeAll(async () => {
  house = await openGitHubHouse({ env: { CLAUDE_HUB_CANCEL_GRACE_MS: "500" } });
  sender = createSender(house);
  const { databaseUrl: url } = house;
  database = openDatabase({ url, maxConnections: 2, onIdleError: () => undefined });
});
afterAll(async () => {
  await sender[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
});

/** What is to be there at the end, and no more of it. */
interface End {
  number: number;
  said: RegExp[];
  reactions: string[];
  sessions: number;
  pulls?: number;
}
type Story = () => Promise<End>;

const ada = () => house.github.as("ada");
const openIssue = () => ada().openIssue(REPOSITORY, { title: "It hurts", body: "See below" });

const work: Story = async () => {
  const { number } = await openIssue();
  const steps: StandInStep[] = [
    { write: { path: `cure-${number}.md`, content: "rest\n" } },
    { commit: "Add the cure" },
    { push: true },
    { result: { summary: "Wrote the cure." } },
  ];
  const { id } = await ada().comment(REPOSITORY, number, `${BOT} do it\n${standIn(...steps)}`);
  const reactions = [`${id} eyes`, `${id} hooray`];
  return { number, said: [/^\*\*Done\*\*[^]*\/pull\/\d+/], reactions, sessions: 1, pulls: 1 };
};

const stop: Story = async () => {
  const { number } = await openIssue();
  const slow = standIn({ silentMs: 120_000 });
  const one = await ada().comment(REPOSITORY, number, `${BOT} do it\n${slow}`);
  await waitFor(async () => (await sessionsOf(number)) === 1, { timeoutMs: GONE_ON_MS });
  const two = await ada().comment(REPOSITORY, number, `${BOT} stop`);
  const reactions = [`${one.id} eyes`, `${one.id} confused`, `${two.id} eyes`, `${two.id} +1`];
  return { number, said: [/^\*\*Stopped\*\*/], reactions, sessions: 1 };
};

const retry: Story = async () => {
  const { number } = await openIssue();
  const done = standIn({ result: { summary: "Had a look." } });
  const one = await ada().comment(REPOSITORY, number, `${BOT} do it\n${done}`);
  await waitFor(async () => (await sessionsOf(number)) === 1, { timeoutMs: GONE_ON_MS });
  const two = await ada().comment(REPOSITORY, number, `${BOT} retry`);
  const reactions = [one, two].flatMap(({ id }) => [`${id} eyes`, `${id} hooray`]);
  const said = [/^\*\*Done\*\*[^]*Had a look/, /^\*\*Done\*\*/];
  return { number, said, reactions, sessions: 2 };
};

const lines: Story = async () => {
  const { number: issue } = await openIssue();
  const head = `lines-${issue}`;
  await house.repository.push({ by: "ada", branch: head, files: { [`${head}.md`]: "a\nb\n" } });
  const { number } = await ada().openPull(REPOSITORY, { title: "Lines", head });
  const body = `${BOT} why?\n${standIn({ result: { summary: "Because." } })}`;
  const comments = [{ path: `${head}.md`, line: 1, side: "RIGHT", body }];
  await ada().review(REPOSITORY, number, { event: "COMMENT", comments });
  const asked = house.repository.state.reviewComments.at(-1);
  const reactions = [`${asked?.id} eyes`, `${asked?.id} hooray`];
  return { number, said: [/^\*\*Done\*\*[^]*Because/], reactions, sessions: 1 };
};

const answer: Story = async () => {
  const { number } = await openIssue();
  const help = await ada().comment(REPOSITORY, number, `${BOT} help`);
  const eve = await house.github.as("eve").comment(REPOSITORY, number, `${BOT} fix it`);
  const firstTime = !house.repository.state.comments.some(
    ({ user, reactions }) => user.login === "eve" && reactions.length > 0,
  );
  const reactions = [`${help.id} eyes`, ...(firstTime ? [`${eve.id} confused`] : [])];
  return { number, said: [/\| say \| to have \|/], reactions, sessions: 0 };
};

async function sessionsOf(number: number): Promise<number> {
  const rows = await database.db
    .selectFrom("thread_sessions")
    .innerJoin("sessions", "sessions.id", "thread_sessions.session_id")
    .select("id")
    .where("number", "=", number)
    .execute();
  return rows.length;
}

/** Deliveries that wait, and sessions of which something is still to be told. */
async function open(): Promise<number> {
  const { db } = database;
  const waiting = await db
    .selectFrom("deliveries")
    .select("number")
    .where("state", "=", "waiting")
    .execute();
  const live = await db
    .selectFrom("thread_sessions")
    .select("number")
    .where("state", "=", "live")
    .execute();
  return waiting.length + live.length;
}

/** Everything that the bot has said on a thread, on lines too. */
function saidOn(number: number): string[] {
  const { login } = house.app.bot;
  const own = house.comments(number).filter(({ author }) => author === login);
  const onLines = house.repository.state.reviewComments.filter(
    ({ issue, user }) => issue.number === number && user.login === login,
  );
  return [...own, ...onLines].map(({ body }) => body);
}

async function demand(end: End): Promise<void> {
  await house.github.settled();
  await waitFor(async () => (await open()) === 0, {
    timeoutMs: 60_000,
    what: `#${end.number} to come to its end`,
  });
  const said = saidOn(end.number);
  expect(said).toHaveLength(end.said.length);
  end.said.forEach((pattern, at) => expect(said[at]).toMatch(pattern));
  expect(house.reactions(end.number).toSorted()).toEqual(end.reactions.toSorted());
  expect(await sessionsOf(end.number)).toBe(end.sessions);
  const pulls = house.pulls().filter(({ body }) => body.includes(`Fixes #${end.number}`));
  expect(pulls).toHaveLength(end.pulls ?? 0);
  const failed = await database.db
    .selectFrom("deliveries")
    .select(["event", "outcome"])
    .where("state", "=", "failed")
    .execute();
  expect(failed).toEqual([]);
}

test.each([
  ["a mention that becomes a pull request", work, 5],
  ["work that is stopped", stop, 5],
  ["work that is tried once more", retry, 6],
  ["an answer on lines of a pull request", lines, 3],
  ["answers without a session", answer, 2],
])(
  "%s, with the hub killed at each of its writes: all is written once",
  { timeout: 400_000 },
  async (_, story, least) => {
    let killed = 0;
    for (; killed < MAX_WRITES; killed += 1) {
      const fault = house.github.fault({
        ...WRITES,
        after: killed,
        times: 1,
        applied: true,
        reset: true,
        meanwhile: () => house.hub.kill(),
      });
      const telling = story();
      let end: End | null = null;
      void telling.then((told) => (end = told));
      await waitFor(async () => fault.hits > 0 || (end !== null && (await isOver(end))), {
        timeoutMs: 60_000,
        what: `write ${killed} or the story's end`,
      });
      const isHit = fault.hits > 0;
      if (isHit) {
        await waitFor(() => !isRunning(house.hub.pid));
        await house.hub.restart();
        house.connect();
      }
      fault.clear();
      const told = await telling;
      await redeliver();
      await demand(told);
      if (!isHit) break;
    }
    expect(killed).toBeGreaterThanOrEqual(least);
    expect(killed).toBeLessThan(MAX_WRITES);
  },
);

test.each(["is taken up again", "is given up"])(
  "killed between the thread's row and its session, and the delivery %s: nothing stays open",
  { timeout: 120_000 },
  async (what) => {
    const { db } = database;
    const { number } = await openIssue();
    const done = standIn({ result: { summary: "There." } });
    const row = db.selectFrom("thread_sessions").select("state").where("number", "=", number);
    const { id } = await db.transaction().execute(async (tx) => {
      // No session can be made; and none is made later for a hub that is dead by then.
      await sql`lock table sessions in share mode`.execute(tx);
      const comment = await ada().comment(REPOSITORY, number, `${BOT} do it\n${done}`);
      await waitFor(async () => await row.executeTakeFirst(), { timeoutMs: 30_000 });
      await house.hub.kill();
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(tx);
      return comment;
    });
    expect(await row.executeTakeFirst()).toEqual({ state: "live" });
    expect(await sessionsOf(number)).toBe(0);
    const isGivenUp = what === "is given up";
    if (isGivenUp)
      await db
        .updateTable("deliveries")
        .set({ state: "failed", outcome: "it was given up" })
        .where("state", "=", "waiting")
        .execute();
    await house.hub.restart();
    house.connect();
    await waitFor(async () => (await open()) === 0, {
      timeoutMs: 60_000,
      what: "the thread to be settled",
    });
    expect(await sessionsOf(number)).toBe(isGivenUp ? 0 : 1);
    const sign = isGivenUp ? "confused" : "hooray";
    expect(house.reactions(number).toSorted()).toEqual([`${id} ${sign}`, `${id} eyes`].toSorted());
    if (isGivenUp)
      await db.deleteFrom("deliveries").where("outcome", "=", "it was given up").execute();
  },
);

/** Sends once more what came while there was no hub. */
async function redeliver(): Promise<void> {
  await house.github.settled();
  const { deliveries } = house.app.hook;
  const arrived = new Set(
    deliveries.filter(({ statusCode }) => statusCode === 200).map(({ guid }) => guid),
  );
  for (const { guid, event, request } of deliveries) {
    if (arrived.has(guid)) continue;
    arrived.add(guid);
    await sender.send(event, request.payload, { id: guid });
  }
}

async function isOver({ said, reactions, number }: End): Promise<boolean> {
  return (
    saidOn(number).length === said.length &&
    house.reactions(number).length === reactions.length &&
    (await open()) === 0
  );
}
