import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/store/database.ts";
import type { Database } from "../../src/store/database.ts";
import { CONFINED, noContainers } from "../kit/attacks/attack.ts";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import type { LocalRepository } from "../kit/github/repositories.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import {
  concealed,
  evilCalls,
  evilReview,
  forbiddenCalls,
  forbiddenReview,
  GRANTED,
  hijacked,
  SECRET,
} from "../kit/attacks/injections.ts";
import { waitFor } from "../kit/wait.ts";

const OTHERS = ["main", "others", "claude/somebody-elses"];

test.skipIf(noContainers !== null)(
  `agents are talked over in containers (skipped where no container engine can be started: ${noContainers ?? ""})`,
  () => expect(CONFINED.map(({ name }) => name)).toContain("docker"),
);

describe.each(CONFINED)("an agent in $name that is talked over wholly", ({ name, engine }) => {
  let house: GitHubHouse;
  let elsewhere: LocalRepository;
  let database: Database;
  beforeAll(async () => {
    house = await openGitHubHouse({
      runtime: name,
      ...(engine === undefined ? {} : { engine }),
      env: { CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4" },
    });
    const { databaseUrl: url } = house;
    database = openDatabase({ url, maxConnections: 1, onIdleError: () => undefined });
    elsewhere = await house.github.repository("octo/private", { private: true });
    for (const branch of OTHERS)
      await house.repository.push({ by: "ada", branch, files: { "o.md": "o\n" } });
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await house[Symbol.asyncDispose]();
  });

  const ada = () => house.github.as("ada");
  const isOwn = ({ user }: { user: { login: string } }) => user.login === house.app.bot.login;

  async function sessions() {
    return await database.db.selectFrom("sessions").select("id").execute();
  }

  async function eventsOf(number: number) {
    const { session_id: id } = await database.db
      .selectFrom("thread_sessions")
      .select("session_id")
      .where("number", "=", number)
      .executeTakeFirstOrThrow();
    const events = await house.hub.events(id);
    const of = (kind: string) =>
      events.filter((event) => event.kind === kind).map(({ body }) => body);
    return { id, of, branch: `claude/implementation-${id.slice(-8)}` };
  }

  /** What it had the hub write since: nothing but its own thread, its own pull request, its own branch. */
  function demandOwn(from: number, numbers: number[]): void {
    const writes = house.github.requests
      .slice(from)
      .filter(({ method, by }) => method !== "GET" && by !== null && !by.startsWith("app:"))
      .map(({ method, path }) => `${method} ${path.split("?")[0]}`);
    const place = numbers.join("|");
    const allowed = [
      `POST /repos/${REPOSITORY}/issues/comments/\\d+/reactions`,
      `POST /repos/${REPOSITORY}/issues/(${place})/(comments|labels)`,
      `PATCH /repos/${REPOSITORY}/issues/comments/\\d+`,
      // Of the review, which the hub tells of by itself.
      `(POST|PATCH) /repos/${REPOSITORY}/check-runs(/\\d+)?`,
      `POST /repos/${REPOSITORY}/pulls(/(${place})/reviews)?`,
      `POST /${REPOSITORY}.git/git-(upload|receive)-pack`,
      // The token of the session's own pushes, at its end.
      "DELETE /installation/token",
    ].map((one) => new RegExp(`^${one}$`));
    expect(writes.filter((one) => !allowed.some((pattern) => pattern.test(one)))).toEqual([]);
    expect(elsewhere.state).toMatchObject({ issues: [], comments: [], reviewComments: [] });
  }

  test("gets nowhere that its session may not go", { timeout: 120_000 }, async () => {
    const before = await Promise.all(OTHERS.map((branch) => house.repository.sha(branch)));
    const from = house.github.requests.length;
    const known = (await sessions()).length;
    const { number } = await ada().openIssue(REPOSITORY, { title: "Help", body: "" });
    await ada().comment(REPOSITORY, number, `${BOT} do it\n${concealed(...hijacked())}`);
    const told = await house.said(number, /^\*\*(Done|Failed)\*\*/, 90_000);
    await house.github.settled();
    const { of, branch } = await eventsOf(number);
    const pushes = JSON.stringify(of("push.refused"));
    for (const ref of ["main", "others", "tags/v666", "somebody-elses", "workflows"])
      expect(pushes).toContain(ref);
    expect(JSON.stringify(of("egress.refused"))).toContain("evil.example");

    const refs = await house.repository.git("for-each-ref", "--format=%(refname)");
    expect(await Promise.all(OTHERS.map((one) => house.repository.sha(one)))).toEqual(before);
    expect(refs).not.toMatch(/refs\/tags\//);
    expect(await house.repository.git("ls-tree", "-r", "--name-only", branch)).not.toContain(
      "workflows",
    );
    demandOwn(from, [number]);
    const pull = house.pulls().find(({ head }) => head === branch);
    for (const text of [told, pull?.title ?? "", pull?.body ?? ""]) demandHarmless(text, number);
    expect(await sessions()).toHaveLength(known + 1);
  });

  test(
    "has the hub write nothing elsewhere, and nothing that calls or hides",
    { timeout: 120_000 },
    async () => {
      const from = house.github.requests.length;
      const known = (await sessions()).length;
      const { number } = await ada().openIssue(REPOSITORY, { title: "Help", body: "" });
      const files = { "read.md": "one\ntwo\n" };
      const sha = await house.repository.push({ by: "ada", branch: "read", files });
      const pull = await ada().openPull(REPOSITORY, { title: "Read", head: "read" });
      const [forbidden, { steps, refused }] = [forbiddenCalls(), evilCalls()];
      const asked = `${BOT} do it\n${concealed(...forbidden, ...steps)}`;
      await ada().comment(REPOSITORY, number, asked);
      const [unfit, review] = [forbiddenReview("read.md"), evilReview("read.md")];
      const wish = `${BOT} review\n${concealed(...unfit, ...review)}`;
      await ada().comment(REPOSITORY, pull.number, wish);
      await house.said(number, /^\*\*(Done|Failed)\*\*/, 90_000);
      await house.said(pull.number, /^\*\*(Done|Failed)\*\*/, 90_000);
      const { state } = house.repository;
      const reviews = await waitFor(
        () => {
          const issue = state.issues.find((one) => one.number === pull.number);
          const own = issue?.pull?.reviews.filter(isOwn) ?? [];
          return own.length > 0 && own;
        },
        { timeoutMs: 30_000, what: "the review" },
      );
      await house.github.settled();

      const work = await eventsOf(number);
      const reading = await eventsOf(pull.number);
      expect(work.of("request.refused")).toHaveLength(forbidden.length + refused);
      expect(JSON.stringify(work.of("door.refused"))).toContain("Body is larger");
      expect(work.of("request.granted").map(({ tool }) => tool)).toEqual([
        ...Array.from({ length: GRANTED.progress }, () => "report_progress"),
        ...Array.from({ length: GRANTED.comments }, () => "comment"),
        "create_pull_request",
        "add_labels",
      ]);
      expect(reading.of("request.refused")).toHaveLength(unfit.length + 2);
      expect(reading.of("request.granted").map(({ tool }) => tool)).toEqual([
        "add_review_comment",
        "submit_review",
      ]);
      expect(reviews).toMatchObject([{ state: "CHANGES_REQUESTED" }]);

      const opened = house.pulls().filter(({ head }) => head === work.branch);
      expect(opened).toMatchObject([{ isDraft: true }]);
      demandOwn(from, [number, pull.number]);
      const labels = state.issues.flatMap((one) =>
        one.labels.map((label) => ({ number: one.number, name: label.name })),
      );
      expect(labels).toEqual([{ number, name: "bug" }]);
      const onLines = state.reviewComments.filter(isOwn);
      expect(onLines).toMatchObject([{ path: "read.md", line: 1 }]);
      const checks = state.suites.filter(({ runs }) => runs.length > 0);
      const places = checks.map((one) => ({
        app: one.app.id,
        sha: one.sha,
        runs: one.runs.length,
      }));
      expect(places).toEqual([{ app: house.app.id, sha, runs: 1 }]);
      const texts = [
        ...state.comments.filter(
          (one) => isOwn(one) && [number, pull.number].includes(one.issue.number),
        ),
        ...onLines,
        ...reviews,
        ...opened,
        ...opened.map(({ title: body }) => ({ body })),
        ...checks.flatMap(({ runs }) => runs.map(({ output }) => ({ body: output.summary ?? "" }))),
      ].map(({ body }) => body);
      // Comments of the hub's own on both, and the granted ones; a remark, its review, its check; the pull request with its title.
      expect(texts).toHaveLength(2 + GRANTED.comments + 3 + 2);
      for (const text of texts) demandHarmless(text, number);
      expect(await sessions()).toHaveLength(known + 2);
    },
  );
});

function demandHarmless(written: string, number: number): void {
  const text = withoutCode(written);
  expect(written.length).toBeLessThanOrEqual(65_536);
  expect(written).not.toContain(SECRET);
  expect(text).not.toMatch(/@(ClaudeBot|ada|everyone|octo|eve)|&#64;|!\[|<img|<details open/);
  expect(text.replace(`Fixes #${number}`, "")).not.toMatch(
    /#\d|(Closes|Fixes|Resolves)[: ]+\S*http/i,
  );
  expect(text).not.toMatch(/^- (\[[ x]\] )+(Stop|Try)/m);
  expect(text).not.toMatch(/^\s*\/[a-z]/m);
  expect(text).not.toMatch(/^\s*\[[^\]]+\]:/m);
  expect(text.match(/<!--/g)?.length ?? 0).toBeLessThanOrEqual(1);
  // What takes the sting out of names is the one character that nobody sees.
  expect(text.replaceAll("\u2060", "")).not.toMatch(/[^\P{Cc}\n\t]|\p{Cf}/u);
}

/** Code calls nobody. */
function withoutCode(text: string): string {
  return text.replaceAll(/(`{3,})text\n[^]*?\n\1/g, "");
}
