import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY, createGitDoorHouse } from "../../../test/kit/forge/git-door.ts";
import type { GitDoorHouse, Member } from "../../../test/kit/forge/git-door.ts";

async function commitFile(member: Member, clone: string, path: string, text: string | Buffer) {
  await mkdir(join(clone, path, ".."), { recursive: true });
  await writeFile(join(clone, path), text);
  await member.git(["add", "--all"], clone);
  await member.git(["commit", "--quiet", "-m", `Change ${path}`], clone);
  return await member.git(["rev-parse", "HEAD"], clone);
}

/** Refused pushes leave no trace: nothing at the forge, no quarantine, no loose object in the mirror. */
async function expectNothingLeft(house: GitDoorHouse, refs: Record<string, string>) {
  expect(await house.forge.refs(REPOSITORY)).toEqual(refs);
  expect(await readdir(join(house.mirrorsDir, ".scratch"))).toEqual([]);
}

test("a push to the session's branch reaches the forge, the mirror and the log", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  const clone = await member.clone();
  const sha = await commitFile(member, clone, "src/a.txt", "one\n");
  await member.git(["push", "--quiet", "origin", "HEAD:refs/heads/claude/work"], clone);
  expect((await house.forge.refs(REPOSITORY))["refs/heads/claude/work"]).toBe(sha);
  expect(house.pushed).toEqual([
    {
      sessionId: member.session.sessionId,
      ref: "refs/heads/claude/work",
      branch: "claude/work",
      oldSha: "0".repeat(40),
      newSha: sha,
      accepted: true,
      reason: null,
      url: `${house.forge.url}/acme/app/tree/claude/work`,
    },
  ]);
  expect((await house.mirror.branches(REPOSITORY)).has("claude/work")).toBe(true);

  const next = await commitFile(member, clone, "src/a.txt", "two\n");
  await member.git(["push", "--quiet", "origin", "HEAD:refs/heads/claude/work"], clone);
  const reader = house.join();
  const other = await reader.clone("--branch=claude/work");
  expect(await reader.git(["rev-parse", "HEAD"], other)).toBe(next);
  expect(await readdir(join(house.mirrorsDir, ".scratch"))).toEqual([]);
});

test("a push is at once in the mirror, without asking the forge again", async () => {
  await using house = await createGitDoorHouse({ limits: { mirrorMaxAgeMs: 3_600_000 } });
  const member = house.join();
  const clone = await member.clone();
  await commitFile(member, clone, "a.txt", "one\n");
  await member.git(["push", "--quiet", "origin", "HEAD:claude/work"], clone);
  house.forge.fail(500);
  const other = await house.join().clone("--branch=claude/work");
  expect(await member.git(["log", "-1", "--format=%s"], other)).toBe("Change a.txt");
});

test("everything but the session's own branches is refused with a reason that git prints", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  const clone = await member.clone();
  await commitFile(member, clone, "a.txt", "one\n");
  await member.git(["tag", "v1"], clone);
  const refs = await house.forge.refs(REPOSITORY);
  const push = (...what: string[]) => member.gitError(["push", "origin", ...what], clone);

  const main = await push("HEAD:main");
  expect(main).toContain("! [remote rejected] HEAD -> main");
  expect(main).toContain("the default branch is never pushed by a session; push to claude/work");
  expect(await push("HEAD:feature")).toContain("this session may not push this branch");
  expect(await push("v1")).toContain("only branches may be pushed");
  expect(await push("HEAD:refs/pull/1/head")).toContain("only branches may be pushed");
  expect(await push("HEAD:refs/heads/refs/heads/main")).toContain("may not push this branch");
  expect(await push("HEAD:refs/heads/Main")).toContain("may not push this branch");
  expect(await push(":main")).toContain("branches may not be deleted");
  const mixed = await push("HEAD:claude/work", "HEAD:main");
  expect(mixed).toContain("HEAD -> claude/work (another ref of this push was refused)");
  await expectNothingLeft(house, refs);
  expect(house.pushed.every(({ accepted }) => !accepted)).toBe(true);
  expect(house.pushed).toHaveLength(9);
  expect(house.owners.size).toBe(0);
});

test("the default branch is safe even from a policy that names it", async () => {
  await using house = await createGitDoorHouse();
  const policy = { ...house.join().session.policy, pushBranches: ["*"] };
  const member = house.join({ policy });
  const clone = await member.clone();
  await commitFile(member, clone, "a.txt", "one\n");
  expect(await member.gitError(["push", "origin", "HEAD:main"], clone)).toContain("default branch");
  const silent = house.join({ policy: { ...policy, pushBranches: [] } });
  expect(await silent.gitError(["push", silent.cloneUrl, "HEAD:claude/x"], clone)).toContain(
    "remote: This session may not push",
  );
});

test("history that was pushed stays, and a branch that somebody else made is theirs", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  const clone = await member.clone();
  await commitFile(member, clone, "a.txt", "one\n");
  await member.git(["push", "--quiet", "origin", "HEAD:claude/work"], clone);
  const human = await house.forge.commit(
    REPOSITORY,
    { "h.txt": "h\n" },
    { branch: "claude/human" },
  );
  const refs = await house.forge.refs(REPOSITORY);

  await member.git(["commit", "--quiet", "--amend", "-m", "rewritten"], clone);
  const force = ["push", "--force", "origin"];
  expect(await member.gitError([...force, "HEAD:claude/work"], clone)).toContain(
    "not a fast-forward",
  );
  expect(await member.gitError([...force, "HEAD:claude/human"], clone)).toContain(
    "the branch was not made by this session",
  );
  const thief = house.join({ workBranch: "claude/thief" });
  const theirs = await thief.clone("--branch=claude/work");
  await commitFile(thief, theirs, "b.txt", "two\n");
  expect(await thief.gitError(["push", "origin", "HEAD:claude/work"], theirs)).toContain(
    "the branch belongs to another session; push to claude/thief instead",
  );
  // A branch that exists at the forge while the mirror does not know it yet.
  expect(refs["refs/heads/claude/human"]).toBe(human);
  await expectNothingLeft(house, refs);
});

test("a forge that moved on since the mirror looked is not overwritten", async () => {
  await using house = await createGitDoorHouse({ limits: { mirrorMaxAgeMs: 3_600_000 } });
  const member = house.join();
  const clone = await member.clone();
  await commitFile(member, clone, "a.txt", "one\n");
  const theirs = await house.forge.commit(
    REPOSITORY,
    { "h.txt": "h\n" },
    { branch: "claude/work" },
  );
  expect(await member.gitError(["push", "origin", "HEAD:claude/work"], clone)).toContain(
    "the branch has moved, fetch first",
  );
  expect((await house.forge.refs(REPOSITORY))["refs/heads/claude/work"]).toBe(theirs);
});

test("workflows are left alone unless the policy allows them", async () => {
  await using house = await createGitDoorHouse({
    files: { "README.md": "x\n", ".github/workflows/ci.yml": "on: push\n" },
  });
  const member = house.join();
  const clone = await member.clone();
  const push = ["push", "--quiet", "origin", "HEAD:claude/work"];
  await commitFile(member, clone, ".github/CODEOWNERS", "* @ada\n");
  await member.git(push, clone);
  await commitFile(member, clone, ".github/workflows/ci.yml", "on: pull_request_target\n");
  await commitFile(member, clone, "later.txt", "innocent\n");
  expect(await member.gitError(push, clone)).toContain(
    "changes .github/workflows/ci.yml; this session may not change .github/workflows",
  );

  // What others changed on the default branch may be merged.
  await member.git(["reset", "--quiet", "--hard", "origin/claude/work"], clone);
  await house.forge.commit(REPOSITORY, { ".github/workflows/new.yml": "on: push\n" });
  await member.git(["pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main"], clone);
  await member.git(push, clone);
  // A merge that makes up its own version may not.
  await commitFile(member, clone, "side.txt", "1\n");
  await house.forge.commit(REPOSITORY, { "main.txt": "1\n" });
  await member.git(["fetch", "--quiet", "origin"], clone);
  await member.git(["merge", "--quiet", "--no-commit", "--no-ff", "origin/main"], clone);
  await commitFile(member, clone, ".github/workflows/evil.yml", "on: push\n");
  expect(await member.gitError(push, clone)).toContain("changes .github/workflows/evil.yml");

  const trusted = house.join({ policy: { ...member.session.policy, pushWorkflows: true } });
  await trusted.git(["push", "--quiet", trusted.cloneUrl, "HEAD:claude/trusted"], clone);
});

test("large pushes pass (probe and all) up to the limit", async () => {
  await using house = await createGitDoorHouse({ limits: { maxPushBytes: 8_000_000 } });
  const member = house.join();
  const clone = await member.clone();
  const sha = await commitFile(member, clone, "five.bin", randomBytes(5_242_880));
  await member.git(["push", "--quiet", "origin", "HEAD:claude/work"], clone);
  const refs = await house.forge.refs(REPOSITORY);
  expect(refs["refs/heads/claude/work"]).toBe(sha);
  await commitFile(member, clone, "nine.bin", randomBytes(9_175_040));
  expect(await member.gitError(["push", "origin", "HEAD:claude/work"], clone)).toContain(
    "the push is larger than 8000000 bytes",
  );
  await expectNothingLeft(house, refs);
});

test("shallow clones push, and a branch at an existing commit needs no objects", async () => {
  await using house = await createGitDoorHouse();
  await house.forge.commit(REPOSITORY, { "b.txt": "b\n" });
  const member = house.join();
  const clone = await member.clone("--depth=1");
  await member.git(["push", "--quiet", "origin", "HEAD:claude/same"], clone);
  const sha = await commitFile(member, clone, "a.txt", "one\n");
  await member.git(["push", "--quiet", "origin", "HEAD:claude/work"], clone);
  expect((await house.forge.refs(REPOSITORY))["refs/heads/claude/work"]).toBe(sha);
});

test("a forge that refuses or fails is reported as it is", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  const clone = await member.clone();
  await commitFile(member, clone, "a.txt", "one\n");
  const refs = await house.forge.refs(REPOSITORY);
  const hook = join(house.repository.dir, "hooks", "pre-receive");
  const push = ["push", "origin", "HEAD:claude/work"];
  house.forge.fail(503, "push");
  expect(await member.gitError(push, clone)).toContain("The forge could not be reached");
  house.forge.fail(null);
  await mkdir(join(hook, ".."), { recursive: true });
  await writeFile(hook, "#!/bin/sh\necho 'protected by rule 7' >&2\nexit 1\n", { mode: 0o755 });
  const refused = await member.gitError(push, clone);
  expect(refused).toContain("remote: protected by rule 7");
  expect(refused).toContain("[remote rejected] HEAD -> claude/work (pre-receive hook declined)");
  await expectNothingLeft(house, refs);
  expect(house.pushed.map(({ reason }) => reason)).toEqual([
    "The forge could not be reached",
    "pre-receive hook declined",
  ]);
});

test("a push has a bound on its refs, and names each once", async () => {
  await using house = await createGitDoorHouse({ limits: { maxPushRefs: 3 } });
  const member = house.join();
  const clone = await member.clone();
  await commitFile(member, clone, "a.txt", "one\n");
  const refs = ["a", "b", "c", "d"].map((name) => `HEAD:claude/${name}`);
  expect(await member.gitError(["push", "origin", ...refs], clone)).toContain(
    "one push may change at most 3 refs",
  );
  await member.git(["push", "--quiet", "origin", ...refs.slice(1)], clone);
  expect(Object.keys(await house.forge.refs(REPOSITORY))).toHaveLength(4);
});

test("symbolic links and submodules are contents like any other, but nothing that tricks git", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  const clone = await member.clone();
  const push = ["push", "--quiet", "origin", "HEAD:claude/work"];
  await symlink("/etc/passwd", join(clone, "link"));
  const gitlink = `160000,${house.repository.sha},module`;
  await member.git(["update-index", "--add", "--cacheinfo", gitlink], clone);
  await commitFile(member, clone, ".gitmodules", '[submodule "module"]\n\tpath = module\n');
  await member.git(push, clone);
  const refs = await house.forge.refs(REPOSITORY);
  // CVE-2018-11235 and its kin: what runs code in whoever clones it.
  await commitFile(member, clone, ".gitmodules", '[submodule "../../x"]\n\tpath = module\n');
  expect(await member.gitError(push, clone)).toContain("git refused the pack");
  await member.git(["reset", "--quiet", "--hard", "HEAD~"], clone);
  const blob = await member.git(["rev-parse", "HEAD:README.md"], clone);
  const tree = join(clone, "..", "tree");
  await writeFile(tree, Buffer.concat([Buffer.from("100644 .git\0"), Buffer.from(blob, "hex")]));
  const evil = await member.git(
    ["hash-object", "-t", "tree", "-w", "--literally", "--", tree],
    clone,
  );
  const commit = await member.git(["commit-tree", evil, "-p", "HEAD", "-m", "evil"], clone);
  expect(await member.gitError([...push.slice(0, 3), `${commit}:claude/work`], clone)).toContain(
    "git refused the pack",
  );
  await expectNothingLeft(house, refs);
});

test("a push that the forge has taken is told as taken, even if the mirror cannot take it", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  const clone = await member.clone();
  const sha = await commitFile(member, clone, "a.txt", "one\n");
  const mirrored = house.mirror.dir(REPOSITORY);
  // The forge's hook runs between the vetting and the mirror's turn.
  const hook = join(house.repository.dir, "hooks", "pre-receive");
  await mkdir(join(hook, ".."), { recursive: true });
  await writeFile(hook, `#!/bin/sh\nrm -rf '${mirrored}'\n`, { mode: 0o755 });
  await member.git(["push", "--quiet", "origin", "HEAD:claude/work"], clone);
  expect(house.pushed).toMatchObject([{ accepted: true, newSha: sha }]);
  await rm(hook);
  const other = await house.join().clone("--branch=claude/work");
  expect(await member.git(["rev-parse", "HEAD"], other)).toBe(sha);
});
