import { expect, test } from "vitest";
import { createRunnerHouse, WORK_BRANCH } from "../../test/kit/hub/runner-house.ts";
import type { RunnerHouse } from "../../test/kit/hub/runner-house.ts";
import { standIn } from "../../test/kit/agent/stand-in.ts";
import type { StandInStep } from "../../test/kit/agent/stand-in.ts";
import { waitFor } from "../../test/kit/wait.ts";

const add = (path: string): StandInStep[] => [
  { write: { path, content: "1\n" } },
  { commit: `Add ${path}` },
];

async function subjects({ git }: RunnerHouse, branch = WORK_BRANCH): Promise<string[]> {
  const refs = await git.forge.refs(git.repository.name);
  if (refs[`refs/heads/${branch}`] === undefined) return [];
  return (await git.forge.git(git.repository.name, "log", "--format=%s", branch)).split("\n");
}

test("a lock that a killed git left behind keeps nothing from being pushed", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn(
      ...add("a"),
      { write: { path: "b", content: "2\n" } },
      { run: "touch .git/index.lock .git/HEAD.lock" },
    ),
  });
  expect(result).toMatchObject({ outcome: "completed" });
  expect(await subjects(house)).toHaveLength(3);
});

test("what cannot be committed does not hold back what was", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn(
      ...add("a"),
      { run: "git init -q inner" },
      { write: { path: "b", content: "2\n" } },
    ),
  });
  // The other file is kept, too.
  expect(await subjects(house)).toHaveLength(3);
  expect(result.artifacts).toEqual(
    expect.arrayContaining([expect.objectContaining({ metadata: { subject: "Add a" } })]),
  );
  expect(result).toMatchObject({ outcome: "failed", summary: expect.stringMatching(/./) });
  expect(result.error).toContain("could not be committed");
});

test("work is pushed to the hub, whatever `origin` has become", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn(
      { run: "git init -q --bare ../elsewhere && git remote set-url origin ../elsewhere" },
      ...add("a"),
      { push: true },
    ),
  });
  expect(await subjects(house)).toEqual(["Add a", "Begin"]);
  expect(result.outcome).toBe("completed");
});

test("a forge that is away for a moment loses no work", async () => {
  await using house = await createRunnerHouse();
  house.git.forge.fail(503, "push");
  const run = await house.start({ prompt: standIn(...add("a")) });
  await house.until("agent.exited");
  await waitFor(() => house.git.forge.requests.some(({ status }) => status === 503));
  house.git.forge.fail(null);
  await run.ended;
  expect(house.hub.results).toMatchObject([{ outcome: "completed" }]);
  expect(await subjects(house)).toEqual(["Add a", "Begin"]);
});

test("commits on the work branch count, even if the agent went back at the end", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn(...add("a"), { run: "git checkout -q main" }),
  });
  expect(await subjects(house)).toEqual(["Add a", "Begin"]);
  expect(result.artifacts).toHaveLength(2);
});

test("an interrupted merge is committed as it stands", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn(
      { write: { path: "README.md", content: "mine\n" } },
      { commit: "Mine" },
      {
        run: "git checkout -q -b other HEAD~1 && echo theirs > README.md && git commit -qam Theirs && git checkout -q claude/work; git merge other; true",
      },
    ),
  });
  expect(result.outcome).toBe("completed");
  expect((await subjects(house)).length).toBeGreaterThanOrEqual(3);
});

test("a workspace that the agent has destroyed is a clear failure", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn({ run: "rm -rf .git" }, { result: { summary: "Oops." } }),
  });
  expect(result).toMatchObject({ outcome: "failed", summary: "Oops." });
  expect(result.error).toMatch(/not a git repository/i);
});

test("a large diff ends at a line's end", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn({
      run: "yes 'äöü an umlaut is longer than it looks' | head -200000 > big.txt",
    }),
  });
  expect(result.outcome).toBe("completed");
  expect(result.diff.length).toBeGreaterThan(1_000_000);
  expect(result.diff.endsWith("\n")).toBe(true);
  expect(result.diff).not.toContain("\ufffd");
});

test("many files are counted, and the list is bounded", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn({
      run: "for i in $(seq 1500); do echo $i > f$i; done; printf 'x\\0y' > 'odd\tname\n.bin'",
    }),
  });
  expect(result.artifacts).toHaveLength(1_000);
  expect(house.bodies("changes.collected")).toMatchObject([{ files: 1_501, commits: 1 }]);
});

test("an agent that calls its conversation something impossible is still heard", async () => {
  await using house = await createRunnerHouse();
  const init = {
    type: "system",
    subtype: "init",
    session_id: "x".repeat(500),
    model: 1,
    tools: [3],
  };
  const result = await house.perform({
    prompt: standIn({ raw: JSON.stringify(init) }, { result: { summary: "Said \u0000 it." } }),
  });
  expect(result).toMatchObject({ outcome: "completed" });
});
