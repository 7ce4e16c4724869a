import { integer, sample } from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/database.ts";
import { createSender } from "../kit/bot/github-corpus.ts";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import type { Fault, FaultSettings } from "../kit/github/faults.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { isRunning } from "../kit/process.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const GONE_ON_MS = 90_000;
/** How often it is killed at moments of no meaning, and how long it lives before at the most. */
const MOMENTS = 6;
const LIFE_MS = 3_000;
/** Of the locks that writes are held by; no others have it. */
const HOLDS = 7_311;

/** By now people read the plan, and say `go`, though the hub has not noted that they can. */
const SHOWN = {
  table: "thread_plans",
  write: "update",
  when: "old.shown_version < new.shown_version",
};
const BEGUN = { table: "orchestrations", write: "update", when: "new.state = 'running'" };

/** Writes into the database that the hub is killed at: what stands there is all that had happened before. */
const HELD = [
  // It is asked for.
  { table: "thread_plans", write: "insert", when: "true" },
  { table: "orchestrations", write: "insert", when: "true" },
  { table: "deliveries", write: "update", when: "new.outcome like 'orchestration % was begun'" },
  { table: "orchestrations", write: "update", when: "new.state = 'proposed'" },
  // It is told of.
  { table: "thread_plans", write: "update", when: "old.comment_id is null and new.comment_id > 0" },
  SHOWN,
  // It is confirmed, and begun.
  BEGUN,
  { table: "orchestration_tasks", write: "insert", when: "new.role = 'task'" },
  { table: "deliveries", write: "update", when: "new.outcome like 'orchestration % is at work'" },
  // It ends.
  { table: "orchestrations", write: "update", when: "new.state = 'completed'" },
  { table: "thread_plans", write: "update", when: "new.state = 'told'" },
];

/** Writes at the forge that the hub is killed at. */
const COMMENTS = { method: "POST", path: /^\/repos\/[^]+\/issues\/\d+\/comments$/ };
const EDITS = { method: "PATCH", path: /^\/repos\/[^]+\/issues\/comments\/\d+$/ };
const FAULTS: FaultSettings[] = [
  { ...COMMENTS, applied: false },
  { ...COMMENTS, applied: true },
  { ...EDITS, applied: false },
  { ...EDITS, applied: true },
  { method: "POST", path: /^\/repos\/[^]+\/pulls$/, applied: true },
];

let house: GitHubHouse;
let holder: Database;
let sender: ReturnType<typeof createSender>;
/** What the killed hub had sent may arrive when the next one has been begun. */
let isBeginning = false;
beforeAll(async () => {
  house = await openGitHubHouse({ env: { CLAUDE_HUB_CANCEL_GRACE_MS: "500" } });
  sender = createSender(house);
  const { databaseUrl: url } = house;
  holder = openDatabase({ url, maxConnections: 1, onIdleError: () => undefined });
});
afterAll(async () => {
  await holder[Symbol.asyncDispose]();
  await sender[Symbol.asyncDispose]();
  await house[Symbol.asyncDispose]();
});

interface Told {
  number: number;
  ask: number;
  go: number;
}

const ada = () => house.github.as("ada");

/** Somebody asks for a plan, reads it, and has it done. */
async function tell(): Promise<Told> {
  const { number } = await ada().openIssue(REPOSITORY, { title: "Greetings", body: "More." });
  const task = (id: string, more: Record<string, unknown>) => {
    const path = `${id}-${number}.md`;
    const steps = standIn(
      { write: { path, content: id } },
      { commit: `Add ${path}` },
      { result: { summary: `${id} is there.` } },
    );
    return { id, title: `About ${id}`, requirements: `Do it.\n${steps}`, ...more };
  };
  const tasks = [task("french", {}), task("docs", { needs: ["french"] })];
  const answer = { summary: "Two greetings.", tasks };
  const plan = `${BOT} plan\n${standIn({ result: { answer } })}`;
  const { id: ask } = await ada().comment(REPOSITORY, number, plan);
  await house.said(number, /^\*\*A plan\*\*/, GONE_ON_MS);
  const { id: go } = await ada().comment(REPOSITORY, number, `${BOT} go`);
  return { number, ask, go };
}

/** Plays the story to its end; whenever the hub is dead, or is to be, it is begun again. Answers how often it was. */
async function play(options: {
  isToDie(): Promise<boolean>;
  /** Before it is begun again. */
  clear(): Promise<void>;
}): Promise<{ told: Told; kills: number }> {
  const sent = new Set<string>();
  const end: { told?: Told; error?: unknown } = {};
  const telling = tell().then(
    (told) => (end.told = told),
    (error: unknown) => (end.error = error),
  );
  for (let kills = 0; ; kills += 1) {
    const next = await waitFor(
      async () => {
        if (end.error !== undefined) return "over";
        if (!isRunning(house.hub.pid) || (await options.isToDie())) return "dead";
        await redeliver(sent);
        return end.told !== undefined && (await isOver(end.told)) ? "over" : null;
      },
      { timeoutMs: GONE_ON_MS, what: `the plan to go on, killed ${kills} times` },
    );
    if (next === "over") {
      await telling;
      if (end.told === undefined) throw end.error;
      return { told: end.told, kills };
    }
    isBeginning = true;
    await house.hub.kill();
    await options.clear();
    await house.hub.restart();
    house.connect();
    isBeginning = false;
  }
}

/** Sends once more what came while there was no hub. */
async function redeliver(sent: Set<string>): Promise<void> {
  await house.github.settled();
  for (const { guid, event, request, statusCode } of house.app.hook.deliveries) {
    if (statusCode === 200 || sent.has(guid)) continue;
    // Fails when the hub has been killed meanwhile: it is sent to the next one.
    const { status } = await sender.send(event, request.payload, { id: guid });
    if (status === 200) sent.add(guid);
  }
}

async function isOver({ number }: Told): Promise<boolean> {
  const { db } = house.database;
  const live = db.selectFrom("thread_plans").select("state").where("number", "=", number);
  const waiting = db.selectFrom("deliveries").select("number").where("state", "=", "waiting");
  const states = (await live.execute()).map(({ state }) => state);
  return states.length > 0 && !states.includes("live") && (await waiting.execute()).length === 0;
}

async function demand({ number, ask, go }: Told): Promise<void> {
  const { db } = house.database;
  const said = house.comments(number).filter(({ author }) => author === house.app.bot.login);
  expect(said).toHaveLength(1);
  expect(said[0]?.body).toMatch(/^\*\*Done\*\* [^]*2 of 2 tasks completed/);
  const pulls = house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`));
  expect(pulls).toHaveLength(1);
  expect(said[0]?.body).toContain(`/pull/${pulls[0]?.number})`);
  const signs = [`${ask} eyes`, `${ask} hooray`, `${go} eyes`].toSorted();
  expect(house.reactions(number).toSorted()).toEqual(signs);
  const plans = await db
    .selectFrom("orchestrations as o")
    .leftJoin("thread_plans as p", "p.orchestration_id", "o.id")
    .select(["o.id", "o.state", "p.state as told", "p.number"])
    .where((is) => is.or([is("p.number", "=", number), is("p.number", "is", null)]))
    .execute();
  expect(plans).toMatchObject([{ state: "completed", told: "told", number }]);
  const sessions = await db
    .selectFrom("sessions as s")
    .leftJoin("orchestration_tasks as t", "t.session_id", "s.id")
    .select(["s.id", "s.status", "t.role", "t.task_id as task"])
    .where("s.orchestration_id", "=", plans[0]?.id ?? null)
    .orderBy("s.id")
    .execute();
  expect(sessions).toMatchObject([
    { role: "planner", task: null, status: "completed" },
    { role: "task", task: "french", status: "completed" },
    { role: "task", task: "docs", status: "completed" },
  ]);
  const failed = db.selectFrom("deliveries").select("outcome").where("state", "=", "failed");
  expect(await failed.execute()).toEqual([]);
}

test(
  "a plan that is asked for, told of and done, with the hub killed at each of its writes: all is there once",
  {
    timeout: 300_000,
  },
  async () => {
    const { db } = house.database;
    await sql`create function hold() returns trigger language plpgsql as $$ begin
    perform pg_advisory_xact_lock(${sql.lit(HOLDS)}, tg_argv[0]::int); return new; end $$`.execute(
      db,
    );
    for (const [at, { table, write, when }] of HELD.entries())
      await sql`create trigger ${sql.ref(`hold_${at}`)} before ${sql.raw(write)} on ${sql.table(table)}
      for each row when (${sql.raw(when)}) execute function hold(${sql.lit(at)})`.execute(db);
    const meanwhile = async () => {
      if (!isBeginning) await house.hub.kill();
    };
    const faults: Fault[] = FAULTS.map((fault) =>
      house.github.fault({ ...fault, times: 1, reset: true, meanwhile }),
    );
    const open = new Set(HELD.keys());
    let silence: Fault | null = null;

    async function heldAt(): Promise<number[]> {
      const { rows } = await sql<{ at: number }>`select objid::int as at from pg_locks
      where locktype = 'advisory' and classid = ${HOLDS} and not granted`.execute(db);
      return rows.map(({ at }) => at);
    }

    async function clear(): Promise<void> {
      const held = await heldAt();
      // What the dead hub was at never happens.
      await sql`select pg_terminate_backend(pid, 10000) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
      for (const at of held) {
        open.delete(at);
        // It does not come to note it before somebody says so, either.
        if (HELD[at] === SHOWN) silence = house.github.fault({ ...EDITS, status: 502 });
        if (HELD[at] === BEGUN) silence?.clear();
        const { table = "" } = HELD[at] ?? {};
        await sql`drop trigger ${sql.ref(`hold_${at}`)} on ${sql.table(table)}`.execute(db);
      }
    }

    await holder.db.transaction().execute(async (tx) => {
      for (const at of HELD.keys())
        await sql`select pg_advisory_xact_lock(${HOLDS}, ${at})`.execute(tx);
      const { told, kills } = await play({
        isToDie: async () => (await heldAt()).length > 0,
        clear,
      });
      await demand(told);
      expect(faults.map(({ hits }) => hits)).toEqual(FAULTS.map(() => 1));
      expect([...open].map((at) => HELD[at])).toEqual([]);
      expect(kills).toBeGreaterThanOrEqual(HELD.length);
    });
  },
);

test("the same, with the hub killed at any moment", { timeout: 300_000 }, async () => {
  const seed = Date.now() % 1_000_000;
  const lives = sample(integer({ min: 0, max: LIFE_MS }), { seed, numRuns: MOMENTS }).values();
  let diesAt: number | null = null;
  try {
    const { told, kills } = await play({
      isToDie: async () => {
        diesAt ??= performance.now() + (lives.next().value ?? Infinity);
        return performance.now() > diesAt;
      },
      clear: async () => void (diesAt = null),
    });
    expect(kills).toBeGreaterThan(0);
    await demand(told);
  } catch (error) {
    throw new Error(`with the seed ${seed}`, { cause: error });
  }
});
