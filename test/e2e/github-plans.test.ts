import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const LONG = { timeout: 180_000 };
const SAID_MS = 90_000;
const HOSTS = ["one.example.com", "two.example.com", "three.example.com", "four.example.com"];

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    repository: { collaborators: { ada: "write", bob: "write", tim: "triage" } },
    env: {
      CLAUDE_HUB_MAX_SESSIONS: "4",
      CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4",
      CLAUDE_HUB_CANCEL_GRACE_MS: "1000",
      CLAUDE_HUB_ASK_HOSTS: HOSTS.join(", "),
      // Nobody is there: the name of a host that is allowed is looked up, and not found.
      CLAUDE_HUB_EGRESS_DNS: "127.0.0.1:9",
    },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");
const own = (number: number) =>
  house.comments(number).filter(({ author }) => author === house.app.bot.login);

async function issue(): Promise<number> {
  return (await ada().openIssue(REPOSITORY, { title: "Greetings", body: "More of them." })).number;
}

async function say(number: number, words: string, who = "ada"): Promise<number> {
  return (await house.github.as(who).comment(REPOSITORY, number, `${BOT} ${words}`)).id;
}

function task(id: string, steps: StandInStep[], more: Record<string, unknown> = {}) {
  return { id, title: `About ${id}`, requirements: `Do it.\n${standIn(...steps)}`, ...more };
}

function writing(id: string): StandInStep[] {
  const result = { result: { summary: `${id} is there.` } };
  return [{ write: { path: `${id}.md`, content: id } }, { commit: `Add ${id}` }, result];
}

/** Has the stand-in propose this plan. */
const proposing = (answer: unknown, words = "") =>
  `plan ${words}\n${standIn({ result: { answer } })}`;

const fetches = (host: string) => ({ run: `curl -s http://${host}/` });

const Row = z.object({ id: z.string(), state: z.string() });

async function plansOf(number: number) {
  const rows = await house.database.db
    .selectFrom("thread_plans as p")
    .innerJoin("orchestrations as o", "o.id", "p.orchestration_id")
    .select(["o.id", "o.state"])
    .where("p.number", "=", number)
    .orderBy("p.created_at")
    .execute();
  return rows.map((row) => Row.parse(row));
}

test(
  "a plan is proposed in the one comment, read, had done by those who may, and told of until its pull request",
  LONG,
  async () => {
    const number = await issue();
    const hostile = "Greet @octo/team, closes #1 ![x](http://evil.example/x) <img src=x>";
    const plan = {
      summary: "Two greetings. @everybody",
      tasks: [
        task("french", writing("french"), {
          title: hostile,
          files: ["`fr`*.md"],
          budget: { maxCostUsd: 1.5, minutes: 30 },
          check: "test -f french.md",
        }),
        task("docs", writing("docs"), { needs: ["french"], files: ["docs.md"] }),
      ],
    };
    const question = await say(number, proposing(plan));
    const proposed = await house.said(number, "**A plan** for", SAID_MS);
    expect(proposed).toContain("`@ClaudeBot go`");
    expect(proposed).toContain("1. **french**: Greet");
    expect(proposed).toContain("at most $1.50, 30 min");
    expect(proposed).toContain("2. **docs**: About docs · needs french · changes ` docs.md `");
    expect(proposed).toContain("`` `fr`*.md ``");
    expect(proposed).toContain("What each of them is told");
    for (const bad of ["@octo/team", "#1 ", "![x]", "<img", "@everybody"])
      expect(proposed.replaceAll(/```text[^]*?```/g, "")).not.toContain(bad);
    // Whoever may not ask has nothing done, and nobody has read another plan than this one.
    const refused = await say(number, "go", "tim");
    await waitFor(() => house.reactions(number).includes(`${refused} confused`));
    await say(number, "status");
    await house.said(number, "is proposed.");
    expect(house.pulls()).toEqual([]);

    await say(number, "go");
    const done = await waitFor(
      () => own(number).find(({ body }) => body.includes("**Done** for"))?.body,
      { timeoutMs: SAID_MS, what: "the plan to be done" },
    );
    expect(done).toMatch(/- \[x\] Greet .*branch `claude\//);
    expect(done).toMatch(/- \[x\] About docs · branch/);
    expect(done).toContain("2 of 2 tasks completed");
    const [pull] = house.pulls();
    expect(done).toContain(`/pull/${pull?.number}`);
    expect(pull).toMatchObject({ isDraft: true });
    expect(pull?.body).toContain(`Fixes #${number}`);
    expect(pull?.title).not.toContain("@everybody");
    expect(await house.repository.git("ls-tree", "--name-only", String(pull?.head))).toContain(
      "french.md",
    );
    await waitFor(() => house.reactions(number).includes(`${question} hooray`));
    // The plan's, and the answer to `status`.
    expect(own(number)).toHaveLength(2);
    expect(await house.sessionsOf(number)).toEqual([]);
  },
);

test(
  "another plan takes the place of one that waits; stopping ends it, and what is deleted is dropped",
  LONG,
  async () => {
    const number = await issue();
    const tasks = [task("slow", [{ sleepMs: 60_000 }])];
    await say(number, proposing({ summary: "First.", tasks }));
    await house.said(number, "First.", SAID_MS);
    await say(number, proposing({ summary: "Second.", tasks }, "without docs"));
    await house.said(number, "Second.", SAID_MS);
    expect((await plansOf(number)).map(({ state }) => state)).toEqual(["cancelled", "proposed"]);
    await house.hub.kill();
    await house.hub.restart();
    house.connect();
    await say(number, "go");
    await house.said(number, /- \[ \] \*\*About slow\*\* · at work/, SAID_MS);
    await say(number, proposing({ tasks }));
    await house.said(number, "A plan is at work here already.", SAID_MS);
    await say(number, "stop");
    await waitFor(async () => (await plansOf(number)).every(({ state }) => state === "cancelled"), {
      timeoutMs: SAID_MS,
    });
    await waitFor(
      () => own(number).filter(({ body }) => body.includes("**Stopped**")).length === 2,
      {
        timeoutMs: SAID_MS,
      },
    );

    const other = await issue();
    const id = await say(other, proposing({ summary: "Third.", tasks }));
    await house.said(other, "Third.", SAID_MS);
    await ada().request("DELETE", `/repos/${REPOSITORY}/issues/comments/${id}`);
    await house.said(other, "**Stopped**", SAID_MS);
  },
);

test("without a plan `go` is a session, and what is no plan is said", LONG, async () => {
  const number = await issue();
  await say(number, `go\n${standIn({ result: { summary: "Gone." } })}`);
  await house.said(number, "Gone.", SAID_MS);
  const other = await issue();
  await say(other, proposing({ tasks: [task("a", [], { needs: ["ghost"] })] }));
  await house.said(other, "there is no task ghost", SAID_MS);
  expect((await plansOf(other)).map(({ state }) => state)).toEqual(["failed"]);
});

test(
  "the open question of a session stands in its comment, and is answered there by people who may",
  LONG,
  async () => {
    const number = await issue();
    await say(number, "approve");
    await house.said(number, "No question is open here.");
    const steps = HOSTS.slice(0, 3).map(fetches);
    await say(number, `look\n${standIn(...steps, { result: { summary: "Looked." } })}`);
    const asked = await house.said(number, "**A question**: may it reach the host", SAID_MS);
    expect(asked).toContain(`\` one.example.com:80 \``);
    expect(asked).toMatch(/Without an answer by \d{4}-\d\d-\d\d \d\d:\d\d UTC it is no\./);
    const refused = await say(number, "approve", "tim");
    await waitFor(async () => {
      const { db } = house.database;
      const rows = await db.selectFrom("deliveries").select("outcome").execute();
      return rows.some(({ outcome }) => outcome?.includes("tim has the permission") === true);
    });
    expect(refused).toBeGreaterThan(0);
    const yes = await say(number, "approve", "bob");
    await waitFor(() => house.reactions(number).includes(`${yes} +1`));
    const second = await house.said(number, "two.example.com:80", SAID_MS);
    // The first one was answered just now: which is meant has to be said.
    await say(number, "approve");
    const which = await house.said(number, "Which one?", SAID_MS);
    const [, code = ""] = /approve ([0-9a-f]{8})/.exec(second) ?? [];
    expect(which).toContain(`\`${code}\``);
    await say(number, `deny ${code} not today`);
    const third = await house.said(number, "three.example.com:80", SAID_MS);
    await say(number, `approve ${code}`);
    await house.said(number, "It was answered by github:", SAID_MS);
    const [, last = ""] = /deny ([0-9a-f]{8})/.exec(third) ?? [];
    await say(number, `approve ${last}`);
    await house.said(number, "Looked.", SAID_MS);
    const rows = await house.database.db
      .selectFrom("approvals")
      .select(["subject", "decision", "answered_by", "note"])
      .orderBy("number")
      .execute();
    expect(rows).toEqual([
      { subject: "one.example.com:80", decision: "allow", answered_by: "github:bob", note: null },
      {
        subject: "two.example.com:80",
        decision: "deny",
        answered_by: "github:ada",
        note: "not today",
      },
      { subject: "three.example.com:80", decision: "allow", answered_by: "github:ada", note: null },
    ]);

    // The same for a session of a plan.
    const other = await issue();
    await say(
      other,
      proposing({ tasks: [task("curl", [fetches("four.example.com"), ...writing("c")])] }),
    );
    await house.said(other, "**A plan** for", SAID_MS);
    await say(other, "go");
    const open = await house.said(other, "**A question** (About curl)", SAID_MS);
    const [, short = ""] = /deny ([0-9a-f]{8})/.exec(open) ?? [];
    await say(other, `deny ${short}`);
    await house.said(other, "**Done** for", SAID_MS);
  },
);
