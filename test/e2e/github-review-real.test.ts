import { expect, test } from "vitest";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { Scenario } from "../kit/model/scenario.ts";
import { waitFor } from "../kit/wait.ts";

const PATIENCE = { timeoutMs: 120_000, intervalMs: 100 };

const done = (summary: string) => ({ structured: { summary, nextSteps: [] } });

const scenario = Scenario.parse({
  conversations: [
    {
      match: "Error: it is not loud",
      steps: [
        {
          toolCalls: [
            {
              name: "Bash",
              input: {
                command: "echo LOUD > loud.md && git add loud.md && git commit -q -m 'Be loud'",
                description: "Mend",
              },
            },
          ],
        },
        done("It is loud now."),
      ],
    },
    {
      match: "call `submit_review` once",
      steps: [
        {
          text: "I look at it.",
          toolCalls: [
            { name: "Read", input: { file_path: "{{cwd}}/loud.md" } },
            {
              name: "mcp__hub__add_review_comment",
              input: { path: "loud.md", line: 1, severity: "medium", body: "Too loud at night." },
            },
          ],
        },
        {
          toolCalls: [
            {
              name: "mcp__hub__submit_review",
              input: { summary: "Nearly.", verdict: "request_changes" },
            },
          ],
        },
        done("I am through."),
      ],
    },
  ],
});

test("Claude Code mends what a check says, and reviews by itself what is green then", async () => {
  const env = {
    PR_REVIEW: "everybody",
    PR_REVIEW_DEBOUNCE_MS: "300",
    CLAUDE_HUB_REPAIR_LABEL: "mend",
    CLAUDE_HUB_REPAIR_QUIET_MS: "100",
  };
  await using house = await openGitHubHouse({ agent: "real", scenario, env });
  const { repository } = house;
  const ada = house.github.as("ada");
  const first = await repository.push({
    by: "ada",
    branch: "loud",
    files: { "loud.md": "quiet\n" },
  });
  const { number } = await ada.openPull(REPOSITORY, { title: "Be loud", head: "loud" });
  await ada.label(REPOSITORY, number, "mend");
  const check = (job: { conclusion: string; log?: string }) =>
    repository.runWorkflow({ ref: "loud", by: "ada", jobs: [{ name: "test", ...job }] });
  await check({ conclusion: "failure", log: "2026-11-25T10:00:00Z Error: it is not loud\n" });
  await house.said(number, "It is loud now.", PATIENCE.timeoutMs);
  const head = await repository.sha("loud");
  expect(head).not.toBe(first);
  expect(await repository.git("show", "loud:loud.md")).toBe("LOUD");

  const { state } = repository;
  const verdicts = () =>
    state.issues.flatMap(({ pull }) => pull?.reviews ?? []).map((review) => review.state);
  expect(verdicts()).toEqual([]);
  await check({ conclusion: "success" });
  const ended = (name: string) =>
    waitFor(
      () =>
        state.suites
          .filter(({ app, sha }) => app.id === house.app.id && sha === head)
          .flatMap(({ runs }) => runs)
          .find((run) => run.name === name && run.status === "completed"),
      { ...PATIENCE, what: `${name} to be over` },
    );
  expect(await ended("Claude: review")).toMatchObject({
    conclusion: "neutral",
    output: { title: "Changes are asked for", summary: "Nearly." },
    annotations: [{ path: "loud.md", start_line: 1, annotation_level: "warning" }],
  });
  expect(await ended("Claude: repair")).toMatchObject({ conclusion: "success" });
  expect(verdicts()).toEqual(["CHANGES_REQUESTED"]);
  expect(state.reviewComments).toMatchObject([{ path: "loud.md", line: 1 }]);
  expect(state.reviewComments[0]?.body).toContain("Too loud at night.");
}, 400_000);
