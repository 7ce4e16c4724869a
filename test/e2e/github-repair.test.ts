import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const LABEL = "mend";
const PATIENCE_MS = 60_000;
/** Several sessions one after the other. */
const TEST_MS = 240_000;

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    env: { CLAUDE_HUB_REPAIR_LABEL: LABEL, CLAUDE_HUB_REPAIR_QUIET_MS: "100" },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");
let count = 0;

/** A pull request that the bot has opened. */
async function ownPull(): Promise<{ number: number; head: string }> {
  const name = `one-${(count += 1)}.md`;
  const steps = [
    { write: { path: name, content: "1" } },
    { commit: "One" },
    { result: { summary: `Wrote ${name}` } },
  ];
  // What the agent is to do stands in the text of the issue, which the sessions after it are not shown.
  const issue = { title: "It hurts", body: standIn(...steps) };
  const { number } = await ada().openIssue(REPOSITORY, issue);
  await ada().comment(REPOSITORY, number, `${BOT} do`);
  await house.said(number, "**Done**");
  return await waitFor(() => house.pulls().find(({ body }) => body.includes(`Fixes #${number}`)));
}

/** What the agent is to do when it reads the log of a failed check. */
function mending(path: string): StandInStep[] {
  return [
    { write: { path, content: "m" } },
    { commit: "Mend" },
    { result: { summary: `Mended by ${path}` } },
  ];
}

async function check(ref: string, job: { conclusion: string; log?: string }): Promise<void> {
  await house.repository.runWorkflow({ ref, by: "ada", jobs: [{ name: "test", ...job }] });
}

async function fail(ref: string, why: string, steps: StandInStep[] = []): Promise<void> {
  const log = `2026-11-25T10:00:0${(count += 1) % 10}.123Z ${standIn(...steps)}\n2026-11-25T10:00:00Z Error: ${why}\n`;
  await check(ref, { conclusion: "failure", log });
}

async function repairsOf(number: number): Promise<string[]> {
  const rows = await house.database.db
    .selectFrom("thread_sessions")
    .select(["session_id", "kind"])
    .where("number", "=", number)
    .where("kind", "=", "repair")
    .execute();
  return rows.map(({ session_id: id }) => id);
}

/** Every delivery has been worked off, and every commit looked at whose checks are at rest. */
async function settle(): Promise<void> {
  await house.github.settled();
  const { db } = house.database;
  const waiting = async () => [
    ...(await db.selectFrom("deliveries").select("state").where("state", "=", "waiting").execute()),
    ...(await db.selectFrom("check_wakes").select("sha").execute()),
  ];
  await waitFor(async () => (await waiting()).length === 0, {
    timeoutMs: PATIENCE_MS,
    what: "commits to be looked at",
  });
}

function gaveUp(number: number): string[] {
  return house
    .comments(number)
    .filter(({ body }) => body.includes("I could not mend"))
    .map(({ body }) => body);
}

test(
  "red checks of the bot's own pull request are mended, and green ones left alone",
  async () => {
    const { number, head } = await ownPull();
    await check(head, { conclusion: "success" });
    await settle();
    expect(await repairsOf(number)).toEqual([]);
    await fail(head, "one is not two <!-- hidden -->\u200b", mending("first.md"));
    await house.said(number, "Mended by first.md", PATIENCE_MS);
    expect(await house.repository.git("show", `${head}:first.md`)).toBe("m");
    const [id = ""] = await repairsOf(number);
    const { requirements, context } = await house.database.db
      .selectFrom("sessions")
      .select(["requirements", "context"])
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    // What checks write is data.
    expect(requirements).not.toContain("one is not two");
    expect(context).toMatch(/^> Error: one is not two *$/m);
    await check(head, { conclusion: "success" });
    await settle();
    expect(await repairsOf(number)).toHaveLength(1);
    expect(gaveUp(number)).toEqual([]);
  },
  TEST_MS,
);

test(
  "the same failure after a repair ends it, and that is told once",
  async () => {
    const { number, head } = await ownPull();
    await fail(head, "expected 1 of 3", mending("again.md"));
    await house.said(number, "Mended by again.md", PATIENCE_MS);
    await fail(head, "expected 2 of 4", mending("never.md"));
    expect(await house.said(number, "I could not mend", PATIENCE_MS)).toContain("same failure");
    await fail(head, "another one", mending("never.md"));
    await settle();
    expect(gaveUp(number)).toHaveLength(1);
    expect(await repairsOf(number)).toHaveLength(1);
  },
  TEST_MS,
);

test(
  "three attempts and no more, until a person pushes",
  async () => {
    const { number, head } = await ownPull();
    for (const part of ["a", "b", "c"]) {
      await fail(head, `part ${part} is broken`, mending(`${part}.md`));
      await house.said(number, `Mended by ${part}.md`, PATIENCE_MS);
    }
    await fail(head, "part d is broken", mending("d.md"));
    expect(await house.said(number, "I could not mend", PATIENCE_MS)).toContain("3 times");
    expect(await repairsOf(number)).toHaveLength(3);
    await house.repository.push({ by: "ada", branch: head, files: { "person.md": "p" } });
    await settle();
    await fail(head, "part d is broken", mending("d.md"));
    await house.said(number, "Mended by d.md", PATIENCE_MS);
    expect(gaveUp(number)).toHaveLength(1);
  },
  TEST_MS,
);

test(
  "somebody's pull request is mended when it bears the label of one who may ask, and a fork's never",
  async () => {
    await house.repository.push({ by: "ada", branch: "hers", files: { "h.md": "h\n" } });
    const { number } = await ada().openPull(REPOSITORY, { title: "Hers", head: "hers" });
    await fail("hers", "hers is broken", mending("hers.md"));
    await settle();
    await house.github.as("tim").label(REPOSITORY, number, LABEL);
    await settle();
    expect(await repairsOf(number)).toEqual([]);
    await ada().request("DELETE", `/repos/${REPOSITORY}/issues/${number}/labels/${LABEL}`);
    await ada().label(REPOSITORY, number, LABEL);
    await house.said(number, "Mended by hers.md", PATIENCE_MS);
    expect(await house.repository.git("show", "hers:hers.md")).toBe("m");

    const fork = await house.repository.fork("eve");
    const sha = await fork.push({ by: "eve", branch: "theirs", files: { "t.md": "t\n" } });
    const theirs = await house.github
      .as("eve")
      .openPull(REPOSITORY, { title: "Theirs", head: "eve:theirs" });
    await ada().label(REPOSITORY, theirs.number, LABEL);
    await fail(sha, "theirs is broken", mending("theirs.md"));
    await settle();
    expect(await repairsOf(theirs.number)).toEqual([]);
    expect(gaveUp(theirs.number)).toEqual([]);
  },
  TEST_MS,
);

test(
  "a crash in the middle of an attempt makes neither a second one nor none",
  async () => {
    const { number, head } = await ownPull();
    const path = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
    const held = house.github.fault({ method: "GET", path, delayMs: 120_000, times: 1 });
    await fail(head, "it breaks", mending("crash.md"));
    await waitFor(async () => (await repairsOf(number)).length === 1, { timeoutMs: PATIENCE_MS });
    await house.hub.kill();
    held.clear();
    await house.hub.restart();
    house.connect();
    await house.said(number, "Mended by crash.md", PATIENCE_MS);
    await settle();
    expect(await repairsOf(number)).toHaveLength(1);
    const { attempts } = await house.database.db
      .selectFrom("repairs")
      .select("attempts")
      .where("number", "=", number)
      .executeTakeFirstOrThrow();
    expect(attempts).toBe(1);
    expect(gaveUp(number)).toEqual([]);
  },
  TEST_MS,
);

test(
  "a repository switches repairs off",
  async () => {
    const { number, head } = await ownPull();
    const files = { ".github/claude-hub.yml": "triggers: { repair: off }\n" };
    await house.repository.push({ by: "ada", branch: "main", files });
    await settle();
    await fail(head, "nobody minds", mending("off.md"));
    await settle();
    expect(await repairsOf(number)).toEqual([]);
  },
  TEST_MS,
);
