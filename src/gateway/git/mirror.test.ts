import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY, createGitDoorHouse } from "../../../test/kit/forge/git-door.ts";
import type { GitDoorHouse } from "../../../test/kit/forge/git-door.ts";

/** Enough files for git to keep them in a pack. */
const FILES = Object.fromEntries(
  Array.from({ length: 120 }, (_, n) => [`f${n}.txt`, `${n} `.repeat(500)]),
);

function headOf(house: GitDoorHouse, clone: string): Promise<string> {
  return house.join().git(["rev-parse", "HEAD"], clone);
}

test("clones that begin together share one comparison with the forge and one fetch", async () => {
  await using house = await createGitDoorHouse({ limits: { mirrorMaxAgeMs: 3_600_000 } });
  const clones = await Promise.all(Array.from({ length: 10 }, () => house.join().clone()));
  for (const clone of clones) expect(await headOf(house, clone)).toBe(house.repository.sha);
  const asked = house.forge.requests.map(({ method, path }) => `${method} ${path}`);
  // To list the refs; then git's own three requests of a fetch.
  expect(asked.filter((one) => one.startsWith("POST"))).toHaveLength(3);
  expect(asked.filter((one) => one.startsWith("GET"))).toHaveLength(1);
});

test("follows the forge: new, moved and deleted branches, another default branch", async () => {
  await using house = await createGitDoorHouse();
  const { forge, mirror } = house;
  expect(await mirror.branches(REPOSITORY)).toMatchObject({ defaultBranch: "main" });
  await forge.commit(REPOSITORY, { "a.txt": "a\n" }, { branch: "next" });
  expect((await mirror.branches(REPOSITORY)).has("next")).toBe(true);
  const moved = await forge.commit(REPOSITORY, { "b.txt": "b\n" }, { branch: "next" });
  await forge.git(REPOSITORY, "symbolic-ref", "HEAD", "refs/heads/next");
  await forge.git(REPOSITORY, "update-ref", "-d", "refs/heads/main");
  // What was a branch is now a directory of branches.
  await forge.git(REPOSITORY, "update-ref", "refs/heads/main/sub", moved);
  const branches = await mirror.branches(REPOSITORY);
  expect(branches.defaultBranch).toBe("next");
  expect([branches.has("main"), branches.has("main/sub")]).toEqual([false, true]);
  expect(await headOf(house, await house.join().clone())).toBe(moved);
});

const packsOf = async (dir: string) => {
  const names = await readdir(join(dir, "objects", "pack"));
  return names.map((name) => join(dir, "objects", "pack", name));
};
const damages: Record<string, (dir: string) => Promise<void>> = {
  "a pack that was overwritten": async (dir) => {
    for (const path of (await packsOf(dir)).filter((name) => name.endsWith(".pack"))) {
      const { size } = await stat(path);
      await rm(path);
      await writeFile(path, Buffer.alloc(size, "x"));
    }
  },
  "packs that are gone": async (dir) => {
    for (const path of await packsOf(dir)) await rm(path);
  },
  "objects that are gone": (dir) => rm(join(dir, "objects"), { recursive: true }),
  "a HEAD that is empty": (dir) => writeFile(join(dir, "HEAD"), ""),
  "refs that are junk": async (dir) => {
    await rm(join(dir, "refs", "heads", "main"), { force: true });
    await writeFile(join(dir, "packed-refs"), "junk\n");
  },
  "a configuration that is junk": (dir) => writeFile(join(dir, "config"), "[["),
};

test.each(Object.entries(damages))("heals %s", async (_what, damage) => {
  await using house = await createGitDoorHouse({ files: FILES });
  const member = house.join();
  await member.clone();
  await damage(house.mirror.dir(REPOSITORY));
  // Damage that only shows in the middle of an answer costs that one clone; the runner makes it again.
  await member.clone().catch(() => undefined);
  expect(await headOf(house, await member.clone())).toBe(house.repository.sha);
  expect(await readdir(join(house.mirrorsDir, ".scratch"))).toEqual([]);
});

test("complaints that an agent causes do not have the mirror made anew", async () => {
  await using house = await createGitDoorHouse({ files: FILES });
  const member = house.join();
  const clone = await member.clone();
  const { ino } = await stat(house.mirror.dir(REPOSITORY));
  for (const sha of ["0123456789".repeat(4), "corruption"])
    await member.gitError(["fetch", "origin", sha], clone);
  house.mirror.doubt(REPOSITORY, "aborting due to possible repository corruption");
  await member.git(["fetch", "origin"], clone);
  expect((await stat(house.mirror.dir(REPOSITORY))).ino).toBe(ino);
});

test("locks that a killed hub left are waited out and removed", async () => {
  await using house = await createGitDoorHouse({ limits: { staleLockMs: 200 } });
  await house.join().clone();
  const dir = house.mirror.dir(REPOSITORY);
  for (const name of ["packed-refs.lock", "HEAD.lock", "refs/heads/main.lock"])
    await writeFile(join(dir, name), "");
  const next = await house.forge.commit(REPOSITORY, { "a.txt": "a\n" });
  await house.forge.git(REPOSITORY, "update-ref", "refs/heads/other", next);
  await house.forge.git(REPOSITORY, "symbolic-ref", "HEAD", "refs/heads/other");
  expect(await headOf(house, await house.join().clone())).toBe(next);
});

test("what killed hubs left in scratch is swept away, and only that", async () => {
  await using house = await createGitDoorHouse();
  await house.mirror.scratch.with(async (mine) => {
    const scratch = join(mine, "..");
    // No process has such a number; the second one is of an earlier process with ours.
    for (const name of ["4194305-dead", `${process.pid}-earlier`, "junk", "1-alive", "1-old"])
      await mkdir(join(scratch, name));
    await utimes(join(scratch, "1-old"), 0, 0);
    await house.mirror.sweep();
    expect((await readdir(scratch)).toSorted()).toEqual(
      ["1-alive", mine.slice(scratch.length + 1)].toSorted(),
    );
    await rm(join(scratch, "1-alive"), { recursive: true });
  });
});

test("a forge that is slow is given up, and its mirror waits for the next one", async () => {
  await using house = await createGitDoorHouse({ limits: { listTimeoutMs: 200 } });
  house.forge.delay(60_000);
  await expect(house.mirror.freshen(REPOSITORY, 0)).rejects.toMatchObject({
    code: "upstream_failed",
  });
  house.forge.delay(0);
  expect((await house.mirror.freshen(REPOSITORY, 0)).defaultBranch).toBe("main");
});

test("commits of pull requests are brought, to be fetched by their names, and leave no ref behind", async () => {
  await using house = await createGitDoorHouse({ limits: { mirrorMaxAgeMs: 3_600_000 } });
  const { forge, mirror } = house;
  const sha = await forge.commit(REPOSITORY, { "f.txt": "fork\n" }, { branch: "gone" });
  await forge.git(REPOSITORY, "update-ref", "refs/pull/7/head", sha);
  await forge.git(REPOSITORY, "update-ref", "-d", "refs/heads/gone");
  const commit = { sha, ref: "refs/pull/7/head" };
  const member = house.join();
  const clone = await member.clone();
  await member.gitError(["fetch", "origin", sha], clone);
  await mirror.bring(REPOSITORY, commit);
  await member.git(["fetch", "origin", sha], clone);
  expect(await member.git(["show", `${sha}:f.txt`], clone)).toBe("fork");
  const asked = forge.requests.length;
  await mirror.bring(REPOSITORY, commit);
  expect(forge.requests).toHaveLength(asked);
  const refs = await member.git(["ls-remote", "origin"], clone);
  expect(refs).not.toContain(sha);
  const moved = { ...commit, sha: "0123456789".repeat(4) };
  await expect(mirror.bring(REPOSITORY, moved)).rejects.toMatchObject({ code: "not_found" });
});

test("closing ends what is under way", async () => {
  await using house = await createGitDoorHouse();
  house.forge.delay(60_000);
  const flight = house.mirror.freshen(REPOSITORY, 0).catch((error: unknown) => error);
  await house.mirror.close();
  expect(await flight).toMatchObject({ code: "upstream_failed" });
});
