import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const PATIENCE = { timeoutMs: 90_000, intervalMs: 100 };
const TEST_MS = 240_000;
/** Longer than the hub would wait by itself. */
const PAUSE_SECONDS = 15;

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

/** Why nothing came of what was done to checks. */
async function reasons(): Promise<string[]> {
  const answer = await house.hub.fetch(
    "/api/v1/deliveries?event=check_run&state=ignored&limit=100",
  );
  const { deliveries } = z
    .object({ deliveries: z.array(z.object({ outcome: z.string() })) })
    .parse(await answer.json());
  return deliveries.map(({ outcome }) => outcome);
}

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
    expect(await reasons()).toContainEqual(
      expect.stringContaining("tim has the permission triage, and it takes write"),
    );

    house.repository.rerun("ada", run.id);
    // It leaves nothing that the next tests would meet.
    await waitFor(
      () =>
        runsOf(head).find(
          ({ name, status }) => name === "Claude: review" && status === "completed",
        ),
      { ...PATIENCE, what: "the review that was asked for again" },
    );
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

test(
  "what the forge refuses is tried again, and what it has taken while the hub died is not said twice",
  async () => {
    const path = "/repos/{owner}/{repo}/check-runs/{check_run_id}";
    const steps: StandInStep[] = [{ silentMs: 5_000 }, ...REVIEW];
    const refused = await pulled("refused", steps);
    await green("refused");
    await says(refused.sha, "in_progress ");
    const from = house.github.requests.length;
    const faults = [
      { status: 502 },
      { status: 403, retryAfter: PAUSE_SECONDS },
      { status: 403 },
      { status: 422 },
    ].map((fault) => house.github.fault({ ...fault, method: "PATCH", path, times: 1 }));
    const plain = await says(refused.sha, "completed failure");
    expect(faults.map(({ hits }) => hits)).toEqual([1, 1, 1, 1]);
    const [, limited, next] = house.github.requests
      .slice(from)
      .filter((one) => one.method === "PATCH" && one.path.endsWith(`/check-runs/${plain.id}`))
      .map(({ at }) => at.getTime());
    expect((next ?? 0) - (limited ?? 0)).toBeGreaterThanOrEqual(PAUSE_SECONDS * 1_000);
    expect(plain.annotations).toEqual([]);
    expect(plain.output.title).toBe("Changes are asked for");
    expect(plain.actions.map(({ identifier }) => identifier)).toEqual(["fix"]);

    const { sha } = await pulled("crash", steps);
    await green("crash");
    await says(sha, "in_progress ");
    let isDead = false;
    const meanwhile = async () => {
      await house.hub.kill();
      isDead = true;
    };
    house.github.fault({ method: "PATCH", path, applied: true, reset: true, times: 1, meanwhile });
    await waitFor(() => isDead, { ...PATIENCE, what: "the hub to die before the answer" });
    const run = await says(sha, "completed failure");
    expect(run.annotations).toHaveLength(2);
    const looked = house.github.fault({ method: "PATCH", path, applied: true, times: 1 });
    await house.hub.restart();
    house.connect();
    await waitFor(() => looked.hits === 1, { ...PATIENCE, what: "the next hub to conclude it" });
    expect(run.annotations).toHaveLength(2);
    expect(runsOf(sha)).toHaveLength(1);
  },
  TEST_MS,
);
