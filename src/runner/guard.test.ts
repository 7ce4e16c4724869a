import { expect, test } from "vitest";
import { runGit } from "../../test/kit/forge/git.ts";
import { createRunnerHouse, WORK_BRANCH } from "../../test/kit/hub/runner-house.ts";
import type { JobOptions } from "../../test/kit/hub/runner-house.ts";
import { standIn } from "../../test/kit/agent/stand-in.ts";

const onFeature = (prompt: string): JobOptions => ({
  prompt,
  workspace: { baseBranch: "feature" },
});
const SHOW = "find .claude .mcp.json CLAUDE.md -type f 2> /dev/null | sort | xargs head -v";

test("agent configuration comes from the default branch, and the branch's own stays as it is", async () => {
  const trusted = { ".claude/settings.json": "trusted\n", ".claude/agents/a.md": "trusted\n" };
  await using house = await createRunnerHouse({ files: { ...trusted, "README.md": "x\n" } });
  const { forge, repository } = house.git;
  const own = {
    ".claude/settings.json": "evil\n",
    ".claude/hook.sh": "evil\n",
    ".mcp.json": "evil\n",
    "CLAUDE.md": "content\n",
  };
  await forge.commit(repository.name, own, { branch: "feature" });
  const result = await house.perform(
    onFeature(
      standIn(
        { run: SHOW },
        { run: "git status --porcelain" },
        { write: { path: "made", content: "1\n" } },
        { commit: "Make" },
        { write: { path: "left", content: "1\n" } },
      ),
    ),
  );

  const [shown, status] = house.bodies("tool.returned").map(({ text }) => text);
  expect(shown).toContain("trusted");
  expect(shown).toContain("agents/a.md");
  expect(shown).toContain("CLAUDE.md");
  expect(shown).not.toContain("evil");
  expect(status).toBe("");
  expect(house.bodies("workspace.guarded")).toMatchObject([
    { paths: expect.arrayContaining([".claude/settings.json", ".claude/hook.sh", ".mcp.json"]) },
  ]);
  const changed = result.artifacts.filter(({ type }) => type === "file");
  expect(changed.map(({ path }) => path)).toEqual(["left", "made"]);
  for (const path of Object.keys(own))
    expect(await forge.git(repository.name, "show", `${WORK_BRANCH}:${path}`)).toBe(
      path === "CLAUDE.md" ? "content" : "evil",
    );
});

test("so it does for a commit that is on no branch, which is what is checked out", async () => {
  await using house = await createRunnerHouse({
    edit: false,
    files: { ".claude/settings.json": "trusted\n" },
  });
  const { forge, repository, mirror } = house.git;
  const own = { ".claude/settings.json": "evil\n", "new.txt": "of the fork\n" };
  const sha = await forge.commit(repository.name, own, { branch: "gone" });
  await forge.git(repository.name, "update-ref", "refs/pull/5/head", sha);
  await forge.git(repository.name, "update-ref", "-d", "refs/heads/gone");
  await mirror.bring(repository.name, { sha, ref: "refs/pull/5/head" });
  const prompt = standIn({ run: "cat new.txt .claude/settings.json; git rev-parse HEAD" });
  await house.perform({ prompt, workspace: { commit: sha } });
  expect(house.bodies("workspace.cloned")).toMatchObject([{ sha }]);
  expect(house.bodies("tool.returned")).toMatchObject([{ text: `of the fork\ntrusted\n${sha}` }]);
});

test("configuration that only the branch has is taken away, a link as well as a folder", async () => {
  await using house = await createRunnerHouse({ files: { "README.md": "x\n" } });
  const { forge, repository } = house.git;
  await forge.commit(repository.name, { "evil/settings.json": "evil\n" }, { branch: "feature" });
  const parent = await forge.git(repository.name, "rev-parse", "feature");
  const link = await forge.git(repository.name, "rev-parse", "feature:evil/settings.json");
  // The blob's text is the link's target; where it leads does not matter here.
  const index = { GIT_INDEX_FILE: "guard.index" };
  const git = (...args: string[]) => runGit(args, { cwd: repository.dir, env: index });
  await git("read-tree", parent);
  await git("update-index", "--add", "--cacheinfo", `120000,${link},.claude`);
  const tree = await git("write-tree");
  const sha = await git("commit-tree", tree, "-p", parent, "-m", "Link");
  await git("update-ref", "refs/heads/feature", sha);

  const result = await house.perform(
    onFeature(
      standIn({ run: "ls -a; git status --porcelain" }, { write: { path: "a", content: "" } }),
    ),
  );
  const [{ text } = {}] = house.bodies("tool.returned");
  expect(text).toContain("evil");
  expect(text).not.toContain(".claude");
  expect(result.artifacts.map(({ path }) => path)).toEqual([undefined, "a"]);
});

test("a session that does not edit is guarded as well", async () => {
  await using house = await createRunnerHouse({ edit: false });
  const { forge, repository } = house.git;
  await forge.commit(repository.name, { ".mcp.json": "evil\n" }, { branch: "feature" });
  await house.perform(onFeature(standIn({ run: SHOW })));
  expect(house.bodies("workspace.guarded")).toEqual([{ paths: [".mcp.json"] }]);
  expect(JSON.stringify(house.bodies("tool.returned"))).not.toContain("evil");
});

test("on the default branch nothing is exchanged", async () => {
  await using house = await createRunnerHouse({ files: { ".claude/settings.json": "{}\n" } });
  await house.perform();
  expect(house.bodies("workspace.guarded")).toEqual([]);
});
