import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { claudeCodePath } from "../../../test/kit/agent/claude-code.ts";
import { createRunnerHouse, WORK_BRANCH } from "../../../test/kit/hub/runner-house.ts";
import type { ScenarioInput } from "../../../test/kit/model/scenario.ts";
import { createScriptedModel } from "../../../test/kit/model/scripted-model.ts";
import type { ScriptedModel } from "../../../test/kit/model/scripted-model.ts";
import { createTempDir } from "../../../test/kit/temp-dir.ts";
import { agentNamed } from "../registry.ts";

const KEY = "dummy-key";
const answer = { summary: "It is done.", nextSteps: ["Look at it"] };
const Offer = z.object({ tools: z.array(z.object({ name: z.string() })).default([]) });

function toolsOffered({ requests }: ScriptedModel): string[] {
  return requests.flatMap(({ body }) => {
    const offer = Offer.safeParse(body);
    return offer.success ? offer.data.tools.map(({ name }) => name) : [];
  });
}

const bash = (command: string) => ({ name: "Bash", input: { command, description: "x" } });

async function houseWith(
  steps: ScenarioInput["conversations"][number]["steps"],
  more: { edit?: boolean; files?: Record<string, string> } = {},
) {
  const scenario = { conversations: [{ match: "The task", steps }] };
  const model = await createScriptedModel({ apiKey: KEY, scenario });
  const way = { url: model.url, headers: { "x-api-key": KEY } };
  const house = await createRunnerHouse({ ...more, model: way });
  return {
    house,
    model,
    perform: (workspace = {}) =>
      house.perform({ prompt: "The task", agentExecutable: claudeCodePath, workspace }),
    async [Symbol.asyncDispose]() {
      await house[Symbol.asyncDispose]();
      await model[Symbol.asyncDispose]();
    },
  };
}

test("an unknown agent is refused", () => {
  expect(() => agentNamed("nobody")).toThrow('no agent "nobody"');
});

test("Claude Code works, commits and pushes through the forwarder, and holds no token", async () => {
  await using real = await houseWith([
    {
      text: "I begin.",
      toolCalls: [{ name: "Write", input: { file_path: "{{cwd}}/a.txt", content: "a\n" } }],
    },
    {
      toolCalls: [bash("git add a.txt && git commit -q -m 'Add a' && git push origin HEAD && env")],
    },
    { error: { status: 529, type: "overloaded_error", message: "Overloaded" }, structured: answer },
  ]);
  const { house, model } = real;
  const result = await real.perform();

  expect(result).toMatchObject({ outcome: "completed", ...answer });
  expect(result.agentSessionId).not.toBeNull();
  expect(house.bodies("agent.initialized")).toMatchObject([
    { agentSessionId: result.agentSessionId },
  ]);
  // The model's provider would search, which the door refuses.
  expect(house.bodies("agent.initialized")[0]?.["tools"]).not.toContain("WebSearch");
  expect(house.bodies("agent.initialized")[0]?.["tools"]).toContain("WebFetch");
  expect(house.bodies("api.retried")).toHaveLength(1);
  expect(house.bodies("turn.finished")).toHaveLength(1);
  const { forge, repository } = house.git;
  expect(await forge.git(repository.name, "log", "-1", "--format=%s %an", WORK_BRANCH)).toBe(
    "Add a Claude Hub",
  );
  expect(model.keysSeen).toEqual([KEY]);
  expect(toolsOffered(model)).toContain("Bash");
  expect(JSON.stringify(house.hub.events)).not.toContain(house.hub.token);
  expect(house.hub.strangers).toEqual([]);
  // It has a proxy, and no other host than the model that it would ask there.
  expect(house.hub.outsiders).toEqual([]);
});

test("a session that does not edit cannot, whatever the model tries", async () => {
  await using dir = await createTempDir("outside");
  const target = join(dir.path, "made");
  const push = "git push origin HEAD:refs/heads/claude/work";
  await using real = await houseWith(
    [
      { toolCalls: [bash(`touch ${target}; ${push}`)] },
      { toolCalls: [{ name: "Write", input: { file_path: target, content: "x" } }] },
      { toolCalls: [{ name: "Write", input: { file_path: "{{cwd}}/w.txt", content: "x" } }] },
      {
        toolCalls: [{ name: "Read", input: { file_path: "{{cwd}}/README.md" } }],
      },
      {
        toolCalls: [
          {
            name: "Edit",
            input: { file_path: "{{cwd}}/README.md", old_string: "hello", new_string: "x" },
          },
        ],
      },
      {
        toolCalls: [
          { name: "NotebookEdit", input: { notebook_path: "{{cwd}}/n.ipynb", new_source: "x" } },
        ],
      },
      {
        toolCalls: [
          {
            name: "Task",
            input: { description: "d", prompt: "Sub work", subagent_type: "general-purpose" },
          },
        ],
      },
      {
        toolCalls: [
          {
            name: "Agent",
            input: { description: "d", prompt: "Sub work", subagent_type: "general-purpose" },
          },
        ],
      },
      { toolCalls: [{ name: "Monitor", input: { command: `touch ${target}`, description: "d" } }] },
      { toolCalls: [{ name: "EnterWorktree", input: { name: "wt" } }] },
      { toolCalls: [{ name: "Skill", input: { skill: "evil" } }] },
      { structured: answer },
    ],
    { edit: false, files: { "README.md": "hello\n" } },
  );
  const { house, model } = real;
  const result = await real.perform();

  expect(result).toMatchObject({ outcome: "completed", artifacts: [] });
  await expect(access(target)).rejects.toThrow("ENOENT");
  const { forge, repository } = house.git;
  expect(Object.keys(await forge.refs(repository.name))).toEqual(["refs/heads/main"]);
  expect(house.bodies("tool.returned").map(({ isError }) => isError)).toContain(true);
  // What any request offered, a sub-agent's included.
  expect(toolsOffered(model)).toEqual(expect.arrayContaining(["Read", "StructuredOutput"]));
  for (const tool of ["Bash", "Write", "Edit", "NotebookEdit", "Monitor", "EnterWorktree", "Skill"])
    expect(toolsOffered(model)).not.toContain(tool);
});

test("hooks and servers that a branch brings are not run", async () => {
  await using dir = await createTempDir("outside");
  const target = (name: string) => join(dir.path, name);
  const settings = (name: string) =>
    JSON.stringify({
      hooks: { SessionStart: [{ hooks: [{ type: "command", command: `touch ${target(name)}` }] }] },
      enableAllProjectMcpServers: true,
      env: { FROM: name },
    });
  const server = (name: string) =>
    JSON.stringify({ mcpServers: { x: { command: "touch", args: [target(name)] } } });
  await using real = await houseWith([{ structured: answer }], {
    files: { "README.md": "hello\n", ".claude/settings.json": settings("trusted-hook") },
  });
  await real.house.git.forge.commit(
    real.house.git.repository.name,
    {
      ".claude/settings.json": settings("evil-hook"),
      ".claude/settings.local.json": settings("evil-local"),
      ".mcp.json": server("evil-server"),
      "sub/.claude/settings.json": settings("evil-nested"),
    },
    { branch: "feature" },
  );
  await writeFile(target("here"), "");
  expect(await real.perform({ baseBranch: "feature" })).toMatchObject({ outcome: "completed" });
  await access(target("trusted-hook"));
  for (const name of ["evil-hook", "evil-local", "evil-server", "evil-nested"])
    await expect(access(target(name))).rejects.toThrow("ENOENT");
});

test("an answer in plain words is an answer", async () => {
  await using real = await houseWith([{ text: "Only words." }, { text: "No more than words." }]);
  expect(await real.perform()).toMatchObject({
    outcome: "completed",
    summary: "No more than words.",
  });
  expect(real.house.bodies("turn.finished")).toHaveLength(1);
});

test("an error of the API is told in its own words", async () => {
  const error = { status: 400, type: "invalid_request_error", message: "Credit is low", times: 99 };
  await using real = await houseWith([{ error }]);
  const result = await real.perform();
  expect(result.outcome).toBe("failed");
  expect(result.error).toContain("Credit is low");
  expect(real.house.bodies("turn.finished")).toMatchObject([{ isError: true }]);
});
