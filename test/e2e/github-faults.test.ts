import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { LASTING, PASSING, READ, TIMEOUT_MS } from "../kit/attacks/fault-cases.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const DONE = standIn({ result: { summary: "Well done." } });

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    env: { CLAUDE_HUB_FORGE_TIMEOUT_MS: String(TIMEOUT_MS), CLAUDE_HUB_CANCEL_GRACE_MS: "500" },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

async function ask(text: string, repository = REPOSITORY) {
  const { number } = await ada().openIssue(repository, { title: "It hurts", body: "" });
  const { id } = await ada().comment(repository, number, `${BOT} do it\n${text}`);
  return { number, id };
}

function own(number: number): string[] {
  const { login } = house.app.bot;
  return house
    .comments(number)
    .filter(({ author }) => author === login)
    .map(({ body }) => body);
}

/** As if the pauses of all that was put off were over, until nothing is open any more; answers how deliveries ended. */
async function settle(): Promise<{ state: string; outcome: string | null }[]> {
  const { db } = house.database;
  await house.github.settled();
  await waitFor(
    async () => {
      await db
        .updateTable("deliveries")
        .set({ due_at: new Date(0) })
        .where("state", "=", "waiting")
        .execute();
      const waiting = db.selectFrom("deliveries").select("number").where("state", "=", "waiting");
      const atWork = db
        .selectFrom("sessions")
        .select("id")
        .where("status", "in", ["initializing", "pending", "running"]);
      const live = db.selectFrom("thread_sessions").select("number").where("state", "=", "live");
      const open = [waiting, live, atWork].map(async (query) => (await query.execute()).length);
      return (await Promise.all(open)).every((count) => count === 0);
    },
    { timeoutMs: 90_000, intervalMs: 100, what: "everything to come to its end" },
  );
  const ends = await db.selectFrom("deliveries").select(["state", "outcome"]).execute();
  return ends.map(({ state, outcome }) => ({ state, outcome }));
}

async function sessionStates(number: number): Promise<string[]> {
  const rows = await house.database.db
    .selectFrom("thread_sessions")
    .innerJoin("sessions", "sessions.id", "thread_sessions.session_id")
    .select("status")
    .where("number", "=", number)
    .execute();
  return rows.map(({ status }) => status);
}

test.each(PASSING)(
  "%s delays the work, and doubles nothing",
  { timeout: 150_000 },
  async (_, fault) => {
    const struck = house.github.fault({ ...fault, times: 1 });
    const { number, id } = await ask(work());
    await house.said(number, /^\*\*Done\*\*[^]*Well done\.[^]*\/pull\//, 60_000);
    const ends = await settle();
    struck.clear();
    expect(struck.hits).toBe(1);
    expect(own(number)).toHaveLength(1);
    expect(house.reactions(number)).toEqual([`${id} eyes`, `${id} hooray`]);
    expect(await sessionStates(number)).toEqual(["completed"]);
    expect(pullsFor(number)).toBe(1);
    expect(ends.filter(({ state }) => state === "failed")).toEqual([]);
  },
);

test.each(LASTING)(
  "%s, however often, ends in what is true",
  { timeout: 150_000 },
  async (_, fault, said) => {
    const struck = house.github.fault(fault);
    const { number } = await ask(work());
    if (said !== null) await house.said(number, said, 60_000);
    await settle();
    struck.clear();
    expect(struck.hits).toBeGreaterThan(0);
    expect(own(number)).toHaveLength(said === null ? 0 : 1);
    expect(await sessionStates(number)).toEqual(["completed"]);
  },
);

test(
  "GitHub's secondary limit told in words alone is waited for",
  { timeout: 150_000 },
  async () => {
    const message = "You have exceeded a secondary rate limit. Please wait a few minutes.";
    const struck = house.github.fault({ ...READ, status: 403, message, times: 1 });
    const { number } = await ask(DONE);
    await waitFor(() => struck.hits === 1);
    await settle();
    struck.clear();
    expect(own(number)).toHaveLength(1);
  },
);

test("GitHub that is down is asked again, and given up after a while with a reason", async () => {
  const struck = house.github.fault({ ...READ, status: 500 });
  const { number } = await ask(DONE);
  const ends = await settle();
  struck.clear();
  const failed = ends.filter(({ state }) => state === "failed");
  expect(failed).toHaveLength(1);
  expect(failed[0]?.outcome).toMatch(/forge/i);
  expect(await sessionStates(number)).toEqual([]);
  await house.database.db.deleteFrom("deliveries").where("state", "=", "failed").execute();
});

test("a comment of ours that somebody deletes is not made again", { timeout: 90_000 }, async () => {
  const { number } = await ask(standIn({ silentMs: 4_000 }, { result: { summary: "Done." } }));
  await house.said(number, "**Working**");
  const [ours] = house.comments(number).filter(({ author }) => author === house.app.bot.login);
  await ada().request("DELETE", `/repos/${REPOSITORY}/issues/comments/${ours?.id}`);
  await settle();
  expect(own(number)).toEqual([]);
  expect(await sessionStates(number)).toEqual(["completed"]);
});

test(
  "on a locked conversation nothing is begun; one that is locked later is told as far as may be",
  {
    timeout: 90_000,
  },
  async () => {
    const { number } = await ada().openIssue(REPOSITORY, { title: "Locked", body: "" });
    await ada().setLocked(REPOSITORY, number, true);
    await ada().comment(REPOSITORY, number, `${BOT} do it\n${DONE}`);
    await settle();
    expect(await sessionStates(number)).toEqual([]);
    const later = await ask(standIn({ silentMs: 3_000 }, { result: { summary: "Done." } }));
    await house.said(later.number, "**Working**");
    await ada().setLocked(REPOSITORY, later.number, true);
    await settle();
    expect(await sessionStates(later.number)).toEqual(["completed"]);
    expect(own(later.number)).toHaveLength(1);
  },
);

test("tokens that are revoked in the middle are made anew", { timeout: 90_000 }, async () => {
  const { number } = await ask(work({ silentMs: 2_000 }));
  await house.said(number, "**Working**");
  house.github.revokeTokens();
  await house.said(number, /^\*\*Done\*\*/, 60_000);
  await settle();
  expect(own(number)).toHaveLength(1);
  expect(pullsFor(number)).toBe(1);
});

test.each(["rename", "archive", "delete", "transfer"] as const)(
  "a repository that meets %s during work leaves nothing open",
  { timeout: 150_000 },
  async (deed) => {
    const name = `octo/${deed}-me`;
    const repository = await house.github.repository(name, { collaborators: { ada: "write" } });
    const { number } = await ask(standIn({ silentMs: 3_000 }, { result: { summary: "D." } }), name);
    await waitFor(() => repository.state.comments.length === 2, { timeoutMs: 30_000 });
    if (deed === "rename") repository.rename("renamed");
    else if (deed === "transfer") repository.transfer("somebody");
    else repository[deed]();
    await settle();
    expect(repository.state.comments.filter(({ issue }) => issue.number === number)).toHaveLength(
      2,
    );
  },
);

test(
  "a branch that is moved by force or deleted during work: what is told is what is there",
  {
    timeout: 150_000,
  },
  async () => {
    const kept: boolean[] = [];
    for (const deed of ["force", "delete"]) {
      const head = `topic-${deed}`;
      await house.repository.push({ by: "ada", branch: head, files: { "t.md": "t\n" } });
      const { number } = await ada().openPull(REPOSITORY, { title: deed, head });
      const text = `${BOT} more\n${work({ silentMs: 3_000 })}`;
      await ada().comment(REPOSITORY, number, text);
      await house.said(number, "**Working**");
      if (deed === "force")
        await house.repository.push({
          by: "ada",
          branch: head,
          files: { "u.md": "u" },
          onto: "main",
        });
      else await house.repository.deleteBranch("ada", head);
      const told = await house.said(number, /^\*\*(Done|Failed|Stopped)\*\*/, 60_000);
      await settle();
      kept.push(
        (await house.repository.git("ls-tree", "--name-only", head).catch(() => "")).includes(
          "u.md",
        ),
      );
      expect(own(number)).toEqual([told]);
    }
    expect(kept[0]).toBe(true);
  },
);

test(
  "an App that is suspended or taken off during work leaves nothing open, and no log has a secret",
  {
    timeout: 150_000,
  },
  async () => {
    const { number } = await ask(standIn({ silentMs: 3_000 }, { result: { summary: "Done." } }));
    await house.said(number, "**Working**");
    house.installation.suspend();
    await settle();
    house.installation.unsuspend();
    const again = await ask(DONE);
    await house.said(again.number, /^\*\*Done\*\*/, 60_000);
    const last = await ask(standIn({ silentMs: 3_000 }, { result: { summary: "Done." } }));
    await house.said(last.number, "**Working**");
    house.installation.uninstall();
    await settle();
    const tokens = house.github.requests.flatMap(({ token }) => (token === null ? [] : [token]));
    expect(new Set(tokens).size).toBeGreaterThan(2);
    const secrets = [
      ...new Set(tokens),
      house.app.webhookSecret,
      house.app.privateKey.slice(40, 100),
    ];
    for (const secret of secrets) expect(house.hub.output()).not.toContain(secret);
  },
);

/** Steps that push something. */
function work(...before: StandInStep[]): string {
  return standIn(
    ...before,
    { run: "date +%s%N > stamp.txt" },
    { commit: "Stamp" },
    { result: { summary: "Well done." } },
  );
}

function pullsFor(number: number): number {
  return house.pulls().filter(({ body }) => body.includes(`Fixes #${number}`)).length;
}
