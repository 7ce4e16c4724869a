import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createGitForge } from "./git-forge.ts";
import { runGit } from "./git.ts";
import { createTempDir } from "../temp-dir.ts";
import { waitFor } from "../wait.ts";

const TOKEN = "dummy-token";
const authorization = `Basic ${Buffer.from(`x-access-token:${TOKEN}`).toString("base64")}`;
const auth = ["-c", `http.extraHeader=Authorization: ${authorization}`];

test("is cloned from and pushed to with the token, also in large pushes", async () => {
  await using forge = await createGitForge({ token: TOKEN });
  await using dir = await createTempDir();
  const repository = await forge.repository("octo/greeter", "greeter");
  const clone = join(dir.path, "clone");

  await runGit([...auth, "clone", "-q", repository.cloneUrl, clone], { cwd: dir.path });
  expect(await runGit(["rev-parse", "HEAD"], { cwd: clone })).toBe(repository.sha);
  expect(await readFile(join(clone, "src/greeter.js"), "utf8")).toContain("Greets somebody");

  // Larger than http.postBuffer: git then probes with a flush packet and sends in chunks.
  await writeFile(join(clone, "blob"), randomBytes(3_000_000));
  await runGit(["checkout", "-q", "-b", "claude/large"], { cwd: clone });
  await runGit(["add", "--all"], { cwd: clone });
  await runGit(["commit", "-q", "-m", "Add a blob"], { cwd: clone });
  await runGit([...auth, "push", "-q", "origin", "HEAD"], { cwd: clone });

  expect(await forge.refs("octo/greeter")).toEqual({
    "refs/heads/main": repository.sha,
    "refs/heads/claude/large": await runGit(["rev-parse", "HEAD"], { cwd: clone }),
  });
  expect(await forge.git("octo/greeter", "log", "-1", "--format=%s", "claude/large")).toBe(
    "Add a blob",
  );
  expect(forge.credentials).toEqual([`x-access-token:${TOKEN}`]);

  const upstream = await forge.commit("octo/greeter", { "NEWS.md": "news\n" }, { message: "News" });
  await runGit([...auth, "fetch", "-q", "origin"], { cwd: clone });
  expect(await runGit(["rev-parse", "origin/main"], { cwd: clone })).toBe(upstream);
  const changed = await runGit(["diff", "--name-only", "origin/main~1", "origin/main"], {
    cwd: clone,
  });
  expect(changed).toBe("NEWS.md");
});

test("serves an empty repository, and gives the same files the same commit", async () => {
  await using forge = await createGitForge({ token: TOKEN });
  await using dir = await createTempDir();
  const empty = await forge.repository("octo/empty");
  expect(empty.sha).toBeNull();
  await runGit([...auth, "clone", "-q", empty.cloneUrl, "empty"], { cwd: dir.path });

  const one = await forge.repository("octo/one", { "a/b.txt": "b\n" });
  const two = await forge.repository("octo/two", { "a/b.txt": "b\n" });
  expect(one.sha).toMatch(/^[0-9a-f]{40}$/);
  expect(two.sha).toBe(one.sha);
  await expect(forge.repository("octo/three", "no-such")).rejects.toThrow(/greeter/);
});

test("refuses strangers and remembers what they showed", async () => {
  await using forge = await createGitForge({ token: TOKEN });
  await using dir = await createTempDir();
  const { cloneUrl } = await forge.repository("octo/greeter", "greeter");
  const wrong = cloneUrl.replace("://", "://x-access-token:wrong@");

  await expect(runGit(["clone", "-q", cloneUrl, "a"], { cwd: dir.path })).rejects.toThrow(
    /Authentication|Username/,
  );
  await expect(runGit(["clone", "-q", wrong, "b"], { cwd: dir.path })).rejects.toThrow(
    /Authentication|Username/,
  );

  expect(forge.credentials).toEqual(["x-access-token:wrong"]);
  expect(new Set(forge.requests.map((request) => request.status))).toEqual(new Set([401]));
  const missing = await fetch(`${forge.url}/octo/nothing.git/info/refs?service=git-upload-pack`, {
    headers: { authorization },
  });
  expect(missing.status).toBe(404);
});

test("fails and is slow when told", async () => {
  await using forge = await createGitForge({ token: TOKEN });
  const { cloneUrl } = await forge.repository("octo/greeter", "greeter");
  const list = async () => await runGit([...auth, "ls-remote", cloneUrl], { cwd: "/" });

  forge.fail(503);
  await expect(list()).rejects.toThrow(/503/);
  forge.fail(503, "push");
  expect(await list()).toContain("refs/heads/main");
  forge.fail(null);
  forge.delay(1);
  expect(await list()).toContain("refs/heads/main");

  forge.delay(3_600_000);
  const before = forge.requests.length;
  const dispose = async () => {
    await waitFor(() => forge.requests.length > before);
    expect(forge.requests.at(-1)?.status).toBeNull();
    await forge[Symbol.asyncDispose]();
  };
  await Promise.all([expect(list()).rejects.toThrow(/ls-remote/), dispose()]);
});

test("takes compressed requests and speaks protocol version 2", async () => {
  await using forge = await createGitForge({ token: TOKEN });
  const { cloneUrl, sha } = await forge.repository("octo/greeter", "greeter");
  const answer = await fetch(`${cloneUrl}/git-upload-pack`, {
    method: "POST",
    headers: {
      authorization,
      "content-type": "application/x-git-upload-pack-request",
      "content-encoding": "gzip",
      "git-protocol": "version=2",
    },
    body: gzipSync("0014command=ls-refs\n00010000"),
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain(`${sha} refs/heads/main`);
});

test("the greeter's own tests pass", async () => {
  const greeter = join(import.meta.dirname, "fixtures/greeter");
  const { stdout } = await promisify(execFile)(process.execPath, ["--test"], {
    cwd: greeter,
    env: {},
  });
  expect(stdout).toMatch(/pass 2/);
});
