import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRunning } from "../../test/kit/process.ts";
import { createRunnerHouse, WORK_BRANCH } from "../../test/kit/hub/runner-house.ts";
import type { RunnerHouse } from "../../test/kit/hub/runner-house.ts";
import { readStandInStarts, standIn } from "../../test/kit/agent/stand-in.ts";
import { waitFor } from "../../test/kit/wait.ts";

const hook = (text: string) => ({ "README.md": "x\n", ".claude-hub/setup.sh": text });
const soon = (ms: number) => new Date(Date.now() + ms).toISOString();

async function subjects({ git }: RunnerHouse, branch = WORK_BRANCH): Promise<string[]> {
  return (await git.forge.git(git.repository.name, "log", "--format=%s", branch)).split("\n");
}

function numbered(house: RunnerHouse): void {
  expect(house.hub.events.map(({ seq }) => seq)).toEqual(house.hub.events.map((_, at) => at + 1));
}

test("clones, lets the agent work, pushes, and tells what came of it", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { print: "I begin." },
    { write: { path: "a.txt", content: "one\ntwo\n" } },
    { commit: "Add a" },
    { push: true },
    { result: { summary: "There is an a.", nextSteps: ["Read it"] } },
  );
  const result = await house.perform({ prompt });

  expect(result).toMatchObject({
    outcome: "completed",
    summary: "There is an a.",
    nextSteps: ["Read it"],
    lastSeq: house.hub.events.length,
    artifacts: [
      { type: "commit", metadata: { subject: "Add a" } },
      { type: "file", path: "a.txt", metadata: { additions: 2, deletions: 0, status: "added" } },
    ],
  });
  expect(result.diff).toContain("+two");
  expect(await subjects(house)).toEqual(["Add a", "Begin"]);
  const kinds = house.hub.events.map(({ kind }) => kind);
  // Looked at whenever a tool has returned; an agent that is ahead of its reader has committed by the one before.
  expect(kinds.filter((kind) => kind === "head.moved")).toHaveLength(1);
  expect(kinds[kinds.indexOf("head.moved") - 1]).toBe("tool.returned");
  expect(kinds.filter((kind) => kind !== "head.moved")).toEqual([
    "runner.started",
    "workspace.cloned",
    "agent.started",
    "agent.initialized",
    "message.written",
    "tool.called",
    "tool.returned",
    "tool.called",
    "tool.returned",
    "tool.called",
    "tool.returned",
    "turn.finished",
    "agent.exited",
    "changes.collected",
  ]);
  numbered(house);
  expect(house.hub.strangers).toEqual([]);
});

test("commits and pushes what the agent left, as the author that the job names", async () => {
  await using house = await createRunnerHouse();
  const result = await house.perform({
    prompt: standIn({ write: { path: "left.txt", content: "x\n" } }, { run: "rm README.md" }),
  });
  expect(result.outcome).toBe("completed");
  expect(house.bodies("commit.created")).toHaveLength(1);
  expect(result.artifacts).toMatchObject([
    { type: "commit" },
    { type: "file", path: "README.md", metadata: { status: "deleted" } },
    { type: "file", path: "left.txt", metadata: { status: "added" } },
  ]);
  const author = ["log", "-1", "--format=%an <%ae>", WORK_BRANCH];
  expect(await house.git.forge.git(house.git.repository.name, ...author)).toBe(
    "Claude Hub <hub@hub.invalid>",
  );
});

test("works in an empty repository", async () => {
  await using house = await createRunnerHouse({ files: null });
  const result = await house.perform({ prompt: standIn({ write: { path: "a", content: "1\n" } }) });
  expect(result).toMatchObject({ outcome: "completed", artifacts: [{ type: "commit" }, {}] });
  expect(result.diff).toContain("+1");
  expect(await subjects(house)).toHaveLength(1);
});

test("nothing changed is a result too", async () => {
  await using house = await createRunnerHouse();
  expect(await house.perform()).toMatchObject({ outcome: "completed", artifacts: [], diff: "" });
  expect(house.git.pushed).toEqual([]);
});

test("takes whatever an agent prints", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { garbage: 16 },
    { longLineBytes: 20_000_000 },
    { stderr: "oh \u0007 dear" },
    { lines: 1_200 },
  );
  expect(await house.perform({ prompt })).toMatchObject({ outcome: "completed" });

  const printed = house.bodies("agent.printed").map(({ line }) => line);
  expect(printed).toContain("Segmentation fault (not really)");
  expect(printed).toContain("oh \u0007 dear");
  expect(house.bodies("unknown").map(({ raw }) => raw)).toContain(
    '{"type":"nobody_knows","value":1}',
  );
  const cut = house.bodies("unknown").find(({ lostBytes }) => lostBytes !== undefined);
  expect(Number(cut?.["lostBytes"])).toBeGreaterThan(10_000_000);
  expect(house.bodies("message.written")).toHaveLength(1_200);
  for (const { body } of house.hub.events) expect(JSON.stringify(body).length).toBeLessThan(66_000);
  expect(Math.max(...house.hub.batches)).toBeLessThanOrEqual(500);
  numbered(house);
});

test("an agent that is killed fails the session, and its work is kept", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { write: { path: "a", content: "1" } },
    { commit: "Add a" },
    { write: { path: "b", content: "2" } },
    { exit: 137 },
  );
  const result = await house.perform({ prompt });
  expect(result).toMatchObject({ outcome: "failed" });
  expect(result.error).toContain("137");
  expect(await subjects(house)).toHaveLength(3);
});

test("silence is reported once each time", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn({ silentMs: 700 }, { print: "awake" }, { silentMs: 700 });
  await house.perform({ prompt, limits: { stallMs: 250 } });
  const kinds = house.hub.events.map(({ kind }) => kind).join(" ");
  expect(kinds).toMatch(/initialized agent.stalled message.written agent.stalled turn.finished/);
});

test("a cancelled agent is ended even if it will not, and its work is kept", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { write: { path: "a", content: "1" } },
    { ignoreSignals: true },
    { print: "deaf" },
    { sleepMs: 60_000 },
  );
  const run = await house.start({ prompt });
  await house.until("message.written");
  house.hub.cancel("Not needed any more");
  expect(await run.ended).toMatchObject({ exitCode: 0 });
  expect(house.hub.results).toMatchObject([{ outcome: "cancelled", error: "Not needed any more" }]);
  expect(house.bodies("agent.exited")).toMatchObject([{ signal: "SIGKILL" }]);
  expect(await subjects(house)).toHaveLength(2);
});

test("no agent starts in a session that was cancelled before", async () => {
  await using house = await createRunnerHouse();
  house.hub.cancel("Too late");
  house.git.forge.delay(300);
  const run = await house.start({ prompt: standIn({ sleepMs: 30_000 }) });
  await run.ended;
  expect(house.hub.results).toMatchObject([{ outcome: "cancelled", error: "Too late" }]);
  expect(house.bodies("agent.started")).toEqual([]);
  expect(await readStandInStarts(run.homeDir)).toEqual([]);
});

test("the time limit ends the agent", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn({ sleepMs: 60_000 });
  const result = await house.perform({ prompt, limits: { deadlineAt: soon(1_500) } });
  expect(result.outcome).toBe("timed_out");
});

test("what the agent started in its group ends with it, and cannot hold the session", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn(
    { run: "sleep 61 > /dev/null 2>&1 & echo left $!" },
    { fork: { seconds: 62, holdOutput: true } },
  );
  expect(await house.perform({ prompt })).toMatchObject({ outcome: "completed" });
  const inGroup = /left (\d+)/.exec(JSON.stringify(house.bodies("tool.returned")))?.[1];
  await waitFor(() => !isRunning(Number(inGroup)), { what: "the end of the group" });
  // The one with a session of its own is for the runtime to end.
  const escaped = Number(/forked (\d+)/.exec(JSON.stringify(house.bodies("message.written")))?.[1]);
  expect(isRunning(escaped)).toBe(true);
  process.kill(escaped, "SIGKILL");
});

test("a second runner leaves at once", async () => {
  await using house = await createRunnerHouse();
  const run = await house.start({ prompt: standIn({ print: "here" }, { sleepMs: 1_000 }) });
  await house.until("message.written");
  const second = await house.startAgain(run);
  expect(await second.ended).toMatchObject({ exitCode: 75 });
  expect(await run.ended).toMatchObject({ exitCode: 0 });
  expect(await readStandInStarts(run.homeDir)).toHaveLength(1);
});

test("an agent that is not there, and a repository that is not there, are clear failures", async () => {
  await using house = await createRunnerHouse();
  const absent = await house.perform({ agentExecutable: "/nonexistent/agent" });
  expect(absent).toMatchObject({ outcome: "failed" });
  expect(absent.error).toMatch(/could not be run: there is no program .*agent in the sandbox$/);

  await using other = await createRunnerHouse();
  const lost = await other.perform({ workspace: { baseBranch: "no-such-branch" } });
  expect(lost).toMatchObject({ outcome: "failed" });
  expect(lost.error).toContain("no-such-branch");
});

test("a push that is refused fails the session with the reason", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn({ write: { path: ".github/workflows/x.yml", content: "on: push\n" } });
  const result = await house.perform({ prompt });
  expect(result.outcome).toBe("failed");
  expect(result.error).toMatch(/could not be pushed.*workflow/i);
  expect(result.diff).toContain("on: push");
});

test("a session that does not edit works on a detached checkout and pushes nothing", async () => {
  await using house = await createRunnerHouse({ edit: false });
  const prompt = standIn(
    { write: { path: "a", content: "1" } },
    { commit: "Try" },
    { push: "HEAD:refs/heads/claude/work" },
  );
  expect(await house.perform({ prompt })).toMatchObject({ outcome: "completed", artifacts: [] });
  expect(house.bodies("tool.returned")[2]).toMatchObject({ isError: true });
  expect(Object.keys(await house.git.forge.refs(house.git.repository.name))).toEqual([
    "refs/heads/main",
  ]);
});

test("the setup hook comes from the default branch, and its failure is the session's", async () => {
  await using house = await createRunnerHouse({
    files: hook("echo ready; echo 1 > made\nexit 3\n"),
  });
  await house.git.forge.commit(house.git.repository.name, hook("echo evil\n"), {
    branch: "feature",
  });
  const result = await house.perform({ workspace: { baseBranch: "feature" } });
  expect(house.bodies("setup.printed")).toEqual([{ line: "ready" }]);
  expect(house.bodies("setup.finished")).toMatchObject([{ exitCode: 3 }]);
  expect(house.bodies("agent.started")).toEqual([]);
  expect(result).toMatchObject({ outcome: "failed" });
  expect(result.error).toContain("setup hook ended with exit code 3");
});

test("commands of the settings come after the hook, and the first that fails is the last", async () => {
  await using house = await createRunnerHouse({ files: hook("echo hook\n") });
  const setup = ['echo "one $PWD" && cd / && touch "$HOME/made"', "pwd; exit 4", "echo three"];
  const result = await house.perform({ setup });
  expect(house.bodies("setup.started")).toEqual([
    { path: ".claude-hub/setup.sh" },
    { command: setup[0] },
    { command: setup[1] },
  ]);
  const [hooked, one, two] = house.bodies("setup.printed").map(({ line }) => JSON.stringify(line));
  expect(hooked).toBe('"hook"');
  // Each begins where the workspace is.
  expect(one).toBe(two?.replace('"', '"one '));
  expect(house.bodies("agent.started")).toEqual([]);
  expect(result).toMatchObject({
    outcome: "failed",
    error: 'The setup command "pwd; exit 4" ended with exit code 4',
  });
});

test("a setup hook that takes too long is ended", async () => {
  const files = { ".claude-hub/setup.sh": "sleep 60\n" };
  await using house = await createRunnerHouse({ files });
  const result = await house.perform({ limits: { setupMs: 300 } });
  expect(result.error).toContain("took longer");
});

test("nothing secret stands where the agent can look", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn({ run: "env; git config --list --show-origin; cat /proc/$PPID/environ" });
  await house.perform({ prompt });
  const text = JSON.stringify(house.hub.events);
  expect(text).not.toContain(house.hub.token);
  expect(text).toContain("GIT_TERMINAL_PROMPT=0");
});

test("a place that cannot be cloned into is told, not waited for", async () => {
  await using house = await createRunnerHouse();
  house.git.forge.fail(500);
  const run = await house.start();
  await mkdir(run.workspaceDir, { recursive: true });
  await writeFile(join(run.workspaceDir, "in-the-way"), "");
  expect(await run.ended).toMatchObject({ exitCode: 0 });
  expect(house.hub.results).toMatchObject([{ outcome: "failed" }]);
});
