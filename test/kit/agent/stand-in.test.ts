import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { createGitForge } from "../forge/git-forge.ts";
import { runGit } from "../forge/git.ts";
import { isRunning } from "../process.ts";
import { createScriptedModel } from "../model/scripted-model.ts";
import { readStandInStarts, standIn, standInAgentPath, standInNoopPath } from "./stand-in.ts";
import { createTempDir } from "../temp-dir.ts";
import { waitFor } from "../wait.ts";

const Line = z.looseObject({
  type: z.string(),
  session_id: z.string(),
  structured_output: z.looseObject({}).optional(),
  message: z
    .looseObject({ content: z.array(z.looseObject({ text: z.string().optional() })) })
    .optional(),
});

interface Run {
  path?: string;
  args?: string[];
  prompt?: string;
  cwd: string;
  env?: Record<string, string>;
}

async function run({ path = standInAgentPath, args = [], prompt = "", cwd, env = {} }: Run) {
  const child = spawn(path, args, {
    cwd,
    // As a sandbox would: nothing but what an agent needs. The stand-in finds this very Node.js.
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: cwd, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end(prompt);
  await once(child, "close");
  const output = Buffer.concat(chunks).toString("utf8");
  return { output, pid: child.pid, exitCode: child.exitCode, signal: child.signalCode };
}

function linesOf(output: string) {
  return output
    .trimEnd()
    .split("\n")
    .map((line) => Line.parse(JSON.parse(line)));
}

function textsOf(output: string): string[] {
  return linesOf(output).flatMap((line) =>
    (line.message?.content ?? []).flatMap((block) => block.text ?? []),
  );
}

test.each([standInAgentPath, standInNoopPath])("%s begins and ends by itself", async (path) => {
  await using dir = await createTempDir();
  const args = ["-p", "--verbose", "--session-id", "one"];
  const { output, exitCode, pid } = await run({ path, args, prompt: "Do it.\n", cwd: dir.path });

  expect(exitCode).toBe(0);
  const lines = linesOf(output);
  expect(lines[0]).toMatchObject({ type: "system", subtype: "init", session_id: "one" });
  expect(lines.at(-1)).toMatchObject({
    type: "result",
    is_error: false,
    structured_output: { summary: expect.any(String), nextSteps: [] },
  });
  expect(await readStandInStarts(dir.path)).toMatchObject([{ sessionId: "one", pid }]);
  expect(await readStandInStarts(join(dir.path, "elsewhere"))).toEqual([]);
});

test("finds its directive in standard input, in argv and in a stream of messages", async () => {
  await using dir = await createTempDir();
  const cwd = dir.path;
  const directive = standIn({ print: 'said "}" {' }, { result: { summary: "done" } });
  const prompt = `# Task\n\n${directive}\n\nMore.\n`;
  const message = `${JSON.stringify({ type: "user", message: { role: "user", content: prompt } })}\n`;

  const runs = [
    await run({ cwd, prompt }),
    await run({ cwd, args: ["-p", prompt] }),
    await run({ cwd, args: ["--input-format", "stream-json"], prompt: message }),
  ];
  for (const { output } of runs) {
    expect(textsOf(output)).toEqual(['said "}" {']);
    expect(linesOf(output).at(-1)?.structured_output).toEqual({ summary: "done", nextSteps: [] });
  }
});

test("writes, commits and pushes", async () => {
  await using dir = await createTempDir();
  await using forge = await createGitForge({ token: "dummy-token" });
  const { cloneUrl } = await forge.repository("octo/greeter", "greeter");
  const clone = join(dir.path, "clone");
  const withToken = cloneUrl.replace("://", "://x-access-token:dummy-token@");
  await runGit(["clone", "-q", withToken, clone], { cwd: dir.path });
  await runGit(["config", "user.name", "Ada"], { cwd: clone });
  await runGit(["config", "user.email", "ada@forge.invalid"], { cwd: clone });

  const prompt = standIn(
    { write: { path: "src/new.js", content: "// it's new\n" } },
    { commit: "Add what's new" },
    { push: "HEAD:refs/heads/claude/new" },
    { run: "exit 3" },
  );
  const { output } = await run({ cwd: clone, prompt, env: { HOME: dir.path } });

  expect(output).toContain("Exit code 3");
  expect(await forge.git("octo/greeter", "log", "--format=%s", "-1", "claude/new")).toBe(
    "Add what's new",
  );
  expect(await forge.git("octo/greeter", "show", "claude/new:src/new.js")).toBe("// it's new");
});

test("misbehaves as told", async () => {
  await using dir = await createTempDir();
  const cwd = dir.path;

  const exits = await run({ cwd, prompt: standIn({ ignoreSignals: true }, { exit: 137 }) });
  expect(exits).toMatchObject({ exitCode: 137 });
  expect(exits.output).not.toContain('"result"');
  expect(await run({ cwd, prompt: standIn({ killSelf: "SIGKILL" }) })).toMatchObject({
    signal: "SIGKILL",
  });
  expect((await run({ cwd, prompt: 'stand-in: {"steps":[{"nonsense":1}]}' })).exitCode).toBe(2);
  expect((await run({ cwd, prompt: standIn({ result: null }) })).output).not.toContain('"result"');

  const long = await run({ cwd, prompt: standIn({ longLineBytes: 20_000_000 }) });
  expect(textsOf(long.output)[0]?.length).toBe(20_000_000);

  const noise = await run({ cwd, prompt: standIn({ garbage: 16 }, { lines: 3, everyMs: 1 }) });
  expect(noise.output).toContain("Segmentation fault");
  expect(noise.output).toContain("line 3 of 3");

  const full = await run({ cwd, prompt: standIn({ fillDiskBytes: 3_000_000 }) });
  expect(textsOf(full.output)).toEqual(["wrote 3000000 bytes to the disk"]);
  expect((await readFile(join(cwd, "filler"))).length).toBe(3_000_000);
});

test("leaves a child behind that outlives it", async () => {
  await using dir = await createTempDir();
  const { output } = await run({ cwd: dir.path, prompt: standIn({ fork: { seconds: 60 } }) });
  const pid = Number(/^forked (\d+)$/.exec(textsOf(output)[0] ?? "")?.[1]);
  expect(pid).toBeGreaterThan(1);
  process.kill(pid, "SIGKILL");
  await waitFor(() => !isRunning(pid), { what: "the child's end" });
});

test("asks the model", async () => {
  await using dir = await createTempDir();
  await using model = await createScriptedModel({
    apiKey: "dummy-key",
    scenario: { conversations: [{ match: "Hello", steps: [{ text: "Good day" }] }] },
  });
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "dummy-key" };
  const { output } = await run({ cwd: dir.path, env, prompt: standIn({ model: { calls: 2 } }) });
  expect(textsOf(output)).toEqual([
    expect.stringMatching(/^model answered 200: .*Good day/),
    expect.stringMatching(/^model answered 200: .*Good day/),
  ]);
});

test("waitFor gives what it waited for, and the last error when it waited in vain", async () => {
  let calls = 0;
  expect(await waitFor(() => (calls += 1) === 3 && "three", { intervalMs: 1 })).toBe("three");
  const broken = waitFor(() => Promise.reject(new Error("not yet")), { timeoutMs: 5 });
  await expect(broken).rejects.toMatchObject({ cause: { message: "not yet" } });
});

test("a temporary directory goes with all it holds", async () => {
  const dir = await createTempDir();
  await mkdir(join(dir.path, "a/b"), { recursive: true });
  await chmod(join(dir.path, "a"), 0o755);
  await dir[Symbol.asyncDispose]();
  await expect(readFile(dir.path)).rejects.toMatchObject({ code: "ENOENT" });
});
