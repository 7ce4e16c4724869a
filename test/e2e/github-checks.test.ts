import { afterAll, beforeAll, expect, test } from "vitest";
import { openGitHubHouse } from "../kit/github-house.ts";
import type { GitHubHouse } from "../kit/github-house.ts";
import { REPOSITORY } from "../kit/house.ts";
import { standIn } from "../kit/stand-in.ts";
import type { StandInStep } from "../kit/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const PATIENCE = { timeoutMs: 90_000, intervalMs: 100 };
const TEST_MS = 240_000;

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    env: {
      PR_REVIEW: "everybody",
      PR_REVIEW_DEBOUNCE_MS: "300",
      CLAUDE_HUB_CANCEL_GRACE_MS: "1000",
    },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const ada = () => house.github.as("ada");
const remark = (line: number, severity: string, body = "Who is meant, @ada?"): StandInStep => ({
  tool: {
    name: "add_review_comment",
    input: { path: "lines.md", line, body, severity },
  },
});
const REVIEW: StandInStep[] = [
  { silentMs: 1_500 },
  remark(1, "high"),
  remark(2, "low", "There is a better word for it."),
  remark(99, "high"),
  { tool: { name: "submit_review", input: { summary: "Hm.", verdict: "request_changes" } } },
  { result: { summary: "Through." } },
];

async function pulled(branch: string, steps: StandInStep[]) {
  const files = { "lines.md": `one of ${branch}\ntwo\n` };
  const sha = await house.repository.push({ by: "ada", branch, files });
  const body = standIn(...steps);
  const { number } = await ada().openPull(REPOSITORY, { title: branch, head: branch, body });
  return { number, sha };
}

function runsOf(sha: string) {
  return house.repository.state.suites
    .filter((suite) => suite.app.id === house.app.id && suite.sha === sha)
    .flatMap(({ runs }) => runs);
}

const says = (sha: string, word: string) =>
  waitFor(
    () => runsOf(sha).find(({ status, conclusion }) => `${status} ${conclusion ?? ""}` === word),
    { ...PATIENCE, what: `a check that is ${word}` },
  );

const green = (ref: string) =>
  house.repository.runWorkflow({
    ref,
    by: "ada",
    jobs: [{ name: "ci", conclusion: "success" }],
  });

test(
  "a review has a check on what it looked at; its Fix is for who may ask, and the check of the work follows the head",
  async () => {
    const { number, sha } = await pulled("topic", REVIEW);
    await green("topic");
    const running = await says(sha, "in_progress ");
    expect(running.detailsUrl).toContain(`/${REPOSITORY}/pull/${number}`);
    const run = await says(sha, "completed neutral");
    expect(run.name).toBe("Claude: review");
    expect(run.detailsUrl).toContain("#pullrequestreview-");
    expect(run.output).toMatchObject({ title: "Changes are asked for", summary: "Hm." });
    expect(run.annotations).toMatchObject([
      { path: "lines.md", start_line: 1, end_line: 1, annotation_level: "warning" },
      { path: "lines.md", start_line: 2, end_line: 2, annotation_level: "notice" },
    ]);
    expect(JSON.stringify(run.annotations)).not.toContain(" @ada");
    expect(run.actions.map(({ identifier }) => identifier)).toEqual(["fix"]);
    // A check of its own begins no other review.
    expect(runsOf(sha)).toHaveLength(1);

    const issue = house.repository.state.issues.find((one) => one.number === number);
    if (issue === undefined) throw new Error("the pull request is gone");
    issue.body = standIn(
      { run: "grep -c . lines.md" },
      { write: { path: "lines.md", content: "mended\n" } },
      { commit: "Mend" },
      { push: true },
      { silentMs: 3_000 },
      { result: { summary: "Mended." } },
    );
    house.repository.press("tim", run.id, "fix");
    house.repository.press("ada", run.id, "fix");
    await house.said(number, "Mended.", PATIENCE.timeoutMs);
    const head = await house.repository.sha("topic");
    expect(head).not.toBe(sha);
    expect(await says(head, "completed success")).toMatchObject({ name: "Claude: work" });
    const [, former, ...more] = runsOf(sha);
    expect(more).toEqual([]);
    expect(former).toMatchObject({ name: "Claude: work", conclusion: "neutral" });
    expect(former?.output.title).toBe(`It went on at ${head.slice(0, 12)}`);
    const { body } = await house.hub.claude({ type: "session.list" });
    expect(JSON.stringify(body.data)).not.toContain("tim");

    house.repository.rerun("ada", run.id);
    await waitFor(() => runsOf(head).find(({ name }) => name === "Claude: review"), PATIENCE);
  },
  TEST_MS,
);

test(
  "a review may fail where the repository says so, and nothing stays in progress when it is closed",
  async () => {
    const files = { ".github/claude-hub.yml": "review:\n  mayFail: on\n" };
    await house.repository.push({ by: "ada", branch: "main", files });
    const strict = await pulled("strict", REVIEW);
    await green("strict");
    const failed = await says(strict.sha, "completed failure");
    expect(failed.annotations[0]).toMatchObject({ annotation_level: "failure" });

    const closed = await pulled("closed", [{ silentMs: 120_000 }]);
    await green("closed");
    await says(closed.sha, "in_progress ");
    await house.hub.kill();
    await house.hub.restart();
    house.connect();
    await ada().close(REPOSITORY, closed.number);
    await says(closed.sha, "completed cancelled");
    expect(runsOf(closed.sha)).toHaveLength(1);
  },
  TEST_MS,
);
