import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import type { LocalRepository } from "../kit/github/repositories.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const LONG = { timeout: 120_000 };

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    env: { CLAUDE_HUB_CANCEL_GRACE_MS: "1000", PR_REVIEW_DEBOUNCE_MS: "0" },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");

/** A repository of its own for a test; `ada` may write there. */
async function repository(name: string): Promise<LocalRepository> {
  return await house.github.repository(name, {
    files: "greeter",
    collaborators: { ada: "write" },
  });
}

async function asked(name: string, ...steps: StandInStep[]) {
  const { number } = await ada().openIssue(name, { title: "It hurts", body: "" });
  const { id } = await ada().comment(name, number, `${BOT} please\n${standIn(...steps)}`);
  return { number, id };
}

async function sessionOf(repositoryId: number, number: number, count = 1) {
  const rows = await waitFor(
    async () => {
      const found = await house.database.db
        .selectFrom("thread_sessions")
        .innerJoin("sessions", "sessions.id", "thread_sessions.session_id")
        .select([
          "sessions.id",
          "sessions.status",
          "sessions.repository",
          "sessions.started_at",
          "thread_sessions.state",
        ])
        .where("repository_id", "=", repositoryId)
        .where("number", "=", number)
        .orderBy("sessions.created_at")
        .execute();
      return found.length >= count ? found : undefined;
    },
    { what: "the session", timeoutMs: 30_000 },
  );
  const last = rows.at(-1);
  if (last === undefined) throw new Error("there is one");
  return last;
}

async function until(repositoryId: number, number: number, status: string, count = 1) {
  await waitFor(async () => (await sessionOf(repositoryId, number, count)).status === status, {
    what: `the session to be ${status}`,
    timeoutMs: 30_000,
  });
}

/** What the bot says on a thread of some repository. */
async function said({ state }: LocalRepository, number: number, text: string) {
  await waitFor(
    () =>
      state.comments.some(
        ({ issue, user, body }) =>
          issue.number === number && user.login === house.app.bot.login && body.includes(text),
      ),
    { what: `the bot to say ${text}`, timeoutMs: 60_000 },
  );
}

async function outcomeOf(event: string, action: string) {
  const { outcome } = await waitFor(
    async () =>
      await house.database.db
        .selectFrom("deliveries")
        .select("outcome")
        .where("event", "=", event)
        .where("action", "=", action)
        .where("state", "<>", "waiting")
        .orderBy("number", "desc")
        .executeTakeFirst(),
    { what: `${event}.${action} to be worked off`, timeoutMs: 30_000 },
  );
  return outcome;
}

test("work in a repository that is renamed goes on, and is told where it is now", async () => {
  const place = await repository("octo/before");
  const { number } = await asked(
    "octo/before",
    { write: { path: "a.md", content: "a" } },
    { commit: "A" },
    { silentMs: 6_000 },
    { result: { summary: "Went on." } },
  );
  await until(place.state.id, number, "running");
  await said(place, number, "**Working**");
  place.rename("after");
  expect(await outcomeOf("repository", "renamed")).toBe("1 sessions follow to octo/after");
  await said(place, number, "Went on.");
  const session = await sessionOf(place.state.id, number);
  expect(session).toMatchObject({ status: "completed", repository: "octo/after" });
  expect(await house.hub.events(session.id)).toContainEqual(
    expect.objectContaining({
      kind: "repository.moved",
      body: { from: "octo/before", to: "octo/after" },
    }),
  );
  const [pull] = place.state.issues.filter(({ pull: one }) => one !== null);
  expect(await place.git("show", `${pull?.pull?.headRef}:a.md`)).toBe("a");
  const ours = place.state.comments.filter(({ user }) => user.login === house.app.bot.login);
  expect(ours).toHaveLength(1);

  // Who asks again goes on with what was done under the old name.
  const steps = standIn(
    { write: { path: "b.md", content: "b" } },
    { commit: "B" },
    { result: { summary: "And on." } },
  );
  await ada().comment("octo/after", number, `${BOT} more\n${steps}`);
  await said(place, number, "And on.");
  expect(await place.git("show", `${pull?.pull?.headRef}:b.md`)).toBe("b");
});

test(
  "what waits in a repository that is given away is done there",
  { timeout: 120_000 },
  async () => {
    const place = await repository("octo/gift");
    house.github.install(house.app, "mona");
    // What was sent before a hub has looked for the first time is not its own.
    await waitFor(
      () =>
        house.database.db
          .selectFrom("delivery_checkpoints")
          .select("hook")
          .where("hook", "=", "app")
          .executeTakeFirst(),
      { what: "the first look for missed deliveries", timeoutMs: 30_000 },
    );
    await house.hub.stop();
    const { number } = await asked("octo/gift", { result: { summary: "Done there." } });
    place.transfer("mona");
    await house.github.settled();
    await house.hub.restart();
    house.connect();
    await said(place, number, "Done there.");
    expect(await sessionOf(place.state.id, number)).toMatchObject({ status: "completed" });
  },
);

test("a repository that is deleted or archived ends what was at work there", async () => {
  for (const [name, action] of [
    ["octo/gone", "deleted"],
    ["octo/kept", "archived"],
  ] as const) {
    const place = await repository(name);
    const { number } = await asked(name, { silentMs: 60_000 });
    await until(place.state.id, number, "running");
    if (action === "deleted") place.delete();
    else place.archive();
    expect(await outcomeOf("repository", action)).toBe(
      `1 sessions are ended, since the repository was ${action}`,
    );
    await until(place.state.id, number, "cancelled");
    await waitFor(async () => (await sessionOf(place.state.id, number)).state === "told", {
      timeoutMs: 30_000,
    });
  }
});

test("where the App is taken away, suspended or uninstalled, work is ended", LONG, async () => {
  const place = await repository("zoe/zoo");
  const installation = house.github.install(house.app, "zoe");
  const elsewhere = await repository("octo/elsewhere");
  const other = await asked("octo/elsewhere", { silentMs: 60_000 });
  await until(elsewhere.state.id, other.number, "running");

  // Nobody has asked for its review.
  await place.push({ by: "ada", branch: "change", files: { "a.md": "a\n" } });
  const body = standIn({ silentMs: 60_000 });
  await ada().openPull("zoe/zoo", { title: "Change", head: "change", body });
  await place.setStatus("change", { by: "ada", context: "ci", state: "success" });
  const review = async () =>
    await house.database.db
      .selectFrom("review_gates")
      .innerJoin("sessions", "sessions.id", "review_gates.session_id")
      .select(["review_gates.state", "sessions.status"])
      .where("repository_id", "=", place.state.id)
      .executeTakeFirst();
  await waitFor(async () => (await review())?.status === "running", { timeoutMs: 60_000 });

  const removed = await asked("zoe/zoo", { silentMs: 60_000 });
  await until(place.state.id, removed.number, "running");
  installation.remove("zoe/zoo");
  expect(await outcomeOf("installation_repositories", "removed")).toBe(
    "2 sessions are ended, since the App was taken away there",
  );
  await until(place.state.id, removed.number, "cancelled");
  await waitFor(async () => (await review())?.status === "cancelled", { timeoutMs: 30_000 });
  expect(await review()).toMatchObject({ state: "skipped" });
  installation.add("zoe/zoo");

  const suspended = await asked("zoe/zoo", { silentMs: 60_000 });
  await until(place.state.id, suspended.number, "running");
  installation.suspend();
  expect(await outcomeOf("installation", "suspend")).toContain("the App is suspended there");
  await until(place.state.id, suspended.number, "cancelled");
  installation.unsuspend();

  const uninstalled = await asked("zoe/zoo", { silentMs: 60_000 });
  await until(place.state.id, uninstalled.number, "running");
  installation.uninstall();
  expect(await outcomeOf("installation", "deleted")).toContain("not installed there any more");
  await until(place.state.id, uninstalled.number, "cancelled");
  expect((await sessionOf(elsewhere.state.id, other.number)).status).toBe("running");
  await ada().close("octo/elsewhere", other.number);
  await until(elsewhere.state.id, other.number, "cancelled");
});

test("a question that is deleted before its work begins is taken back; later it is not", async () => {
  const place = await repository("octo/back");
  const first = await asked("octo/back", { silentMs: 4_000 }, { result: { summary: "First." } });
  await until(place.state.id, first.number, "running");
  // On the same thread, so that it waits for the first.
  const second = await ada().comment(
    "octo/back",
    first.number,
    `${BOT} then\n${standIn({ result: { summary: "Second." } })}`,
  );
  await sessionOf(place.state.id, first.number, 2);
  const remove = async (id: number) =>
    await ada().request("DELETE", `/repos/octo/back/issues/comments/${id}`);
  await remove(second.id);
  await until(place.state.id, first.number, "cancelled", 2);
  await remove(first.id);
  expect(await outcomeOf("issue_comment", "deleted")).toBeDefined();
  await said(place, first.number, "First.");
  const { outcome } = await house.database.db
    .selectFrom("deliveries")
    .select("outcome")
    .where("event", "=", "issue_comment")
    .where("action", "=", "deleted")
    .orderBy("number", "desc")
    .executeTakeFirstOrThrow();
  expect(outcome).toContain("the work has begun, and goes on");
});

test("a question on a line is taken back with its comment, and not while another of its review asks", async () => {
  const place = await repository("octo/lines");
  await place.push({ by: "ada", branch: "change", files: { "a.md": "a\nb\nc\n" } });
  const { number } = await ada().openPull("octo/lines", { title: "Change", head: "change" });
  const slow = standIn({ silentMs: 120_000 });
  await ada().comment("octo/lines", number, `${BOT} begin\n${slow}`);
  await until(place.state.id, number, "running");
  const comments = [`${BOT} why?`, "hm", `${BOT} and why that?`].map((body, at) => ({
    path: "a.md",
    line: at + 1,
    side: "RIGHT",
    body,
  }));
  await ada().review("octo/lines", number, { event: "COMMENT", comments });
  await sessionOf(place.state.id, number, 2);
  const ids = place.state.reviewComments.map(({ id }) => id);
  const remove = async (id: number | undefined, outcome: string) => {
    await ada().request("DELETE", `/repos/octo/lines/pulls/comments/${id}`);
    await waitFor(
      async () => (await outcomeOf("pull_request_review_comment", "deleted"))?.includes(outcome),
      { what: outcome, timeoutMs: 30_000 },
    );
  };
  await remove(ids[0], "the question is there");
  await remove(ids[2], "since the question was deleted");
  await until(place.state.id, number, "cancelled", 2);
  expect((await sessionOf(place.state.id, number, 2)).started_at).toBeNull();
  await ada().close("octo/lines", number);
  const working = house.database.db
    .selectFrom("sessions")
    .select("id")
    .where("completed_at", "is", null);
  await waitFor(async () => (await working.execute()).length === 0, { timeoutMs: 30_000 });
});
