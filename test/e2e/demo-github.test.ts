import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tellStory } from "../../demo/github/story.ts";
import { verify } from "../../demo/github/verify.ts";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import { readScenario } from "../kit/model/scenario.ts";

const SCENARIO = new URL("../../demo/github/scenario.json", import.meta.url);

test(
  "the demo's story is true: from an issue to a merge, with the real Claude Code",
  { timeout: 180_000 },
  async () => {
    const scenario = await readScenario(SCENARIO);
    await using house = await openGitHubHouse({ agent: "real", runtime: "bubblewrap", scenario });
    const { github, app, repository } = house;
    const comments: string[] = [];
    const stage = { github, app, repository, bot: BOT };
    const told = await tellStory(stage, {
      did: () => undefined,
      comment: (_, body) => comments.push(body),
    });
    expect((await verify(stage, told)).problems).toEqual([]);
    // It was told while it happened, and its plan was ticked off.
    expect(comments.length).toBeGreaterThan(3);
    expect(comments.some((body) => body.includes("- [x] ") && body.includes("- [ ] **"))).toBe(
      true,
    );
    expect(github.takeInvalid()).toEqual([]);
  },
);

test("without an engine the demo says in one sentence what is missing", { timeout: 90_000 }, () => {
  const main = join(import.meta.dirname, "../../demo/main.ts");
  const told = spawnSync(process.execPath, [main, "--github", "--runtime", "docker"], {
    env: { PATH: process.env["PATH"] ?? "", DOCKER_HOST: "unix:///nowhere/engine.sock" },
    encoding: "utf8",
  });
  expect(told).toMatchObject({ status: 1, stderr: "" });
  expect(told.stdout.trim()).toMatch(/^problem: .*no container engine listens on \/nowhere.*\.$/);
});
