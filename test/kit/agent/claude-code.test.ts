import { join } from "node:path";
import { expect, test } from "vitest";
import { runClaudeCode } from "./claude-code.ts";
import { createGitForge } from "../forge/git-forge.ts";
import { runGit } from "../forge/git.ts";
import { readScenario } from "../model/scenario.ts";
import { createScriptedModel } from "../model/scripted-model.ts";
import { createTempDir } from "../temp-dir.ts";

const KEY = "dummy-key";
/** Nobody is there to be asked. */
const UNASKED = "--dangerously-skip-permissions";

test("the real Claude Code works through a script: runs a command, writes a file, commits", async () => {
  await using dir = await createTempDir();
  await using forge = await createGitForge({ token: "dummy-token" });
  await using model = await createScriptedModel({
    apiKey: KEY,
    scenario: await readScenario(new URL("../model/scenarios/farewell.json", import.meta.url)),
  });
  const { dir: bare } = await forge.repository("octo/greeter", "greeter");
  const clone = join(dir.path, "clone");
  await runGit(["clone", "-q", bare, clone], { cwd: dir.path });

  const { exitCode, lines } = await runClaudeCode(
    { url: model.url, apiKey: KEY },
    { cwd: clone, home: dir.path, args: [UNASKED], prompt: "Add a farewell function." },
  );

  expect(exitCode).toBe(0);
  expect(lines[0]).toMatchObject({ type: "system", subtype: "init" });
  expect(lines.filter((line) => line.subtype === "api_retry")).toHaveLength(0);
  expect(lines.at(-1)).toMatchObject({ type: "result", subtype: "success", is_error: false });
  expect(await runGit(["log", "--format=%s"], { cwd: clone })).toBe("Add farewell\nBegin");
  expect(await runGit(["show", "HEAD:src/farewell.js"], { cwd: clone })).toContain("Goodbye");
  expect(model.keysSeen).toEqual([KEY]);
});

test("the real Claude Code gives the structured answer, after the API was overloaded once", async () => {
  await using dir = await createTempDir();
  const answer = { summary: "All is well.", nextSteps: ["Rest"] };
  await using model = await createScriptedModel({
    apiKey: KEY,
    scenario: {
      conversations: [
        {
          match: "How are things?",
          steps: [
            {
              error: { status: 529, type: "overloaded_error", message: "Overloaded" },
              text: "I report.",
              structured: answer,
            },
          ],
        },
      ],
    },
  });
  const schema = {
    type: "object",
    properties: {
      summary: { type: "string" },
      nextSteps: { type: "array", items: { type: "string" } },
    },
    required: ["summary", "nextSteps"],
  };

  const args = [UNASKED, "--json-schema", JSON.stringify(schema)];
  const { exitCode, lines } = await runClaudeCode(
    { url: model.url, apiKey: KEY },
    { cwd: dir.path, home: dir.path, args, prompt: "How are things?" },
  );

  expect(exitCode).toBe(0);
  expect(lines.filter((line) => line.subtype === "api_retry")).toHaveLength(1);
  expect(lines.at(-1)).toMatchObject({
    type: "result",
    is_error: false,
    structured_output: answer,
    usage: { output_tokens: expect.any(Number) },
  });
});
