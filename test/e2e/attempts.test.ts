import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

const LONG = { timeout: 240_000 };
const View = z.object({
  state: z.string(),
  error: z.string().nullable(),
  summary: z.string().nullable(),
  branch: z.string().nullable(),
  sessions: z.array(
    z.looseObject({
      sessionId: z.string(),
      taskId: z.string().nullable(),
      attempt: z.number(),
      place: z.string(),
      status: z.string(),
      error: z.string().nullable(),
      workBranch: z.string().nullable(),
    }),
  ),
});

let house: GitHubHouse;
beforeAll(async () => {
  house = await openGitHubHouse({
    repository: { files: "greeter" },
    env: { CLAUDE_HUB_MAX_SESSIONS: "6", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "6" },
  });
});
afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

/** Each of those that run the same command at the same time does another one of these. */
function oneOf(dir: string, commands: readonly string[]): string {
  const numbers = commands.map((_, at) => at).join(" ");
  const claim = `for n in ${numbers}; do mkdir ${dir}/$n 2>/dev/null && break; done`;
  const cases = commands.map((command, at) => `${at}) ${command};;`).join(" ");
  return `${claim}; case $n in ${cases} esac`;
}

async function end(tasks: unknown[], options: Record<string, unknown> = {}) {
  const { hub } = house;
  const made = await hub.fetch("/api/v1/orchestrations", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      project: { repository: REPOSITORY, requirements: "Greet better." },
      autoStart: true,
      plan: { summary: "Greet better.", tasks },
      options,
    }),
  });
  const { orchestrationId } = z.object({ orchestrationId: z.string() }).parse(await made.json());
  return await waitFor(
    async () => {
      const answer = await hub.fetch(`/api/v1/orchestrations/${orchestrationId}`);
      const view = View.parse(await answer.json());
      return view.state === "running" ? undefined : view;
    },
    { timeoutMs: 200_000, what: "the orchestration to end" },
  );
}

test(
  "of three attempts the smallest that passes the check becomes the pull request, and the others stay readable",
  LONG,
  async () => {
    await using temp = await createTempDir("attempts");
    const command = oneOf(temp.path, [
      "echo tiny > bad.txt",
      "seq 500 > good.txt",
      "seq 20 > good.txt",
    ]);
    const work = standIn({ run: command }, { commit: "Try" }, { result: { summary: "Tried." } });
    const after = standIn(
      { write: { path: "after.txt", content: "x" } },
      { commit: "After" },
      { result: { summary: "After it." } },
    );
    const view = await end([
      {
        id: "greet",
        title: "Greet better",
        requirements: `Do it.\n${work}`,
        attempts: 3,
        check: "echo it is looked at; test -f good.txt",
      },
      { id: "after", title: "After it", requirements: `Go on.\n${after}`, needs: ["greet"] },
    ]);
    expect(view).toMatchObject({ state: "completed", error: null });
    const attempts = view.sessions.filter(({ taskId }) => taskId === "greet");
    expect(attempts).toHaveLength(3);
    expect(new Set(attempts.map(({ workBranch }) => workBranch)).size).toBe(3);
    const diffs = new Map<string, string>();
    for (const { sessionId, place } of attempts) {
      const answer = await house.hub.fetch(`/api/v1/sessions/${sessionId}/diff`);
      expect(["chosen", "passed_over"]).toContain(place);
      diffs.set(sessionId, await answer.text());
    }
    const [chosen, ...more] = attempts.filter(({ place }) => place === "chosen");
    expect(more).toEqual([]);
    expect(
      diffs
        .get(chosen?.sessionId ?? "")
        ?.split("\n")
        .at(-2),
    ).toBe("+20");
    const failed = attempts.filter(({ status }) => status === "failed");
    expect(failed.map(({ error, sessionId }) => [error, diffs.get(sessionId)])).toEqual([
      [expect.stringMatching(/^The check ended with exit code 1/), expect.stringContaining("tiny")],
    ]);
    // What comes after goes on from the chosen one, and that is what the pull request has.
    const files = await house.repository.git("ls-tree", "--name-only", String(view.branch));
    expect(files.split("\n")).toEqual(expect.arrayContaining(["good.txt", "after.txt"]));
    expect(files).not.toContain("bad.txt");
    expect(await house.repository.git("show", `${view.branch}:good.txt`)).toMatch(/\n20$/);
    expect(house.pulls()).toMatchObject([{ head: view.branch, isDraft: true }]);
  },
);

test(
  "a check that hangs ends with the time of its attempt, and the others count; where none passes, the task has failed",
  LONG,
  async () => {
    await using temp = await createTempDir("attempts");
    const command = oneOf(temp.path, ["echo hang > hang.txt", "echo ok > ok.txt"]);
    const work = standIn({ run: command }, { commit: "Try" }, { result: { summary: "Tried." } });
    const task = { id: "greet", title: "Greet", requirements: `Do it.\n${work}`, attempts: 2 };
    const check = "if test -f hang.txt; then sleep 600; fi; test -f ok.txt";
    const view = await end([{ ...task, check }], { timeout: 60 });
    expect(view).toMatchObject({ state: "completed", error: null });
    const byPlace = (place: string) => view.sessions.find((one) => one.place === place);
    expect(byPlace("chosen")).toMatchObject({ status: "completed" });
    expect(byPlace("passed_over")).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/^The time limit /),
    });
    expect(view.branch).toBe(byPlace("chosen")?.workBranch);

    await using second = await createTempDir("attempts");
    const none = oneOf(second.path, ["echo a > a.txt", "echo b > b.txt"]);
    const bad = standIn({ run: none }, { commit: "Try" }, { result: { summary: "Tried." } });
    const lost = await end([{ ...task, requirements: `Do it.\n${bad}`, check: "exit 7" }]);
    expect(lost).toMatchObject({ state: "failed", branch: null });
    expect(lost.error).toContain("Task greet failed: The check ended with exit code 7");
  },
);
