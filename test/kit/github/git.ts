import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runGit } from "../forge/git.ts";
import { notFound } from "./errors.ts";
import type { Repository } from "./state.ts";

const ZERO = "0".repeat(40);

export type Refs = Map<string, string>;

export interface RefChange {
  ref: string;
  before: string;
  after: string;
}

export interface CommitInfo {
  sha: string;
  tree: string;
  parents: string[];
  author: { name: string; email: string; date: string };
  committer: { name: string; email: string; date: string };
  message: string;
}

export async function git(repository: Repository, ...args: string[]): Promise<string> {
  return await runGit(args, { cwd: repository.dir });
}

/** Refuses what changes a workflow while the environment says so, in GitHub's words. */
const PRE_RECEIVE = `#!/bin/sh
[ -z "$KIT_REFUSE_WORKFLOWS" ] && exit 0
while read -r before after ref; do
  [ "$after" = "${ZERO}" ] && continue
  file=$(git log --format= --name-only "$after" --not --all -- .github/workflows | head -n 1)
  [ -z "$file" ] && continue
  echo "refusing to allow a GitHub App to create or update workflow \\\`$file\\\` without \\\`workflows\\\` permission" >&2
  exit 1
done
exit 0
`;

export async function initRepository(dir: string, from?: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const begin = from === undefined ? ["init", "-q", "--bare", "-b", "main", "."] : cloneOf(from);
  await runGit(begin, { cwd: dir });
  // Pull requests' refs are GitHub's own; nobody pushes them.
  await runGit(["config", "receive.hideRefs", "refs/pull"], { cwd: dir });
  await runGit(["config", "uploadpack.allowFilter", "true"], { cwd: dir });
  await runGit(["config", "uploadpack.allowAnySHA1InWant", "true"], { cwd: dir });
  await mkdir(join(dir, "hooks"), { recursive: true });
  await writeFile(join(dir, "hooks", "pre-receive"), PRE_RECEIVE, { mode: 0o755 });
}

function cloneOf(from: string): string[] {
  return ["clone", "-q", "--bare", from, "."];
}

export async function refsOf(repository: Repository): Promise<Refs> {
  const listed = await git(repository, "for-each-ref", "--format=%(refname) %(objectname)");
  const lines = listed.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line): [string, string] => {
      const [ref = "", sha = ""] = line.split(" ");
      return [ref, sha];
    }),
  );
}

export function changesOf(before: Refs, after: Refs): RefChange[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names]
    .filter((ref) => !ref.startsWith("refs/pull/") && before.get(ref) !== after.get(ref))
    .map((ref) => ({ ref, before: before.get(ref) ?? ZERO, after: after.get(ref) ?? ZERO }));
}

/** The commit that a name stands for: a branch, a tag or a sha. */
export async function resolve(repository: Repository, name: string): Promise<string> {
  // What begins with a hyphen would be an option to git.
  if (name.startsWith("-")) throw notFound();
  for (const each of [`refs/heads/${name}`, `refs/tags/${name}`, `refs/${name}`, name]) {
    const sha = await tryGit(repository, "rev-parse", "-q", "--verify", `${each}^{commit}`);
    if (sha !== null) return sha;
  }
  throw notFound();
}

/** Null when git fails: what was asked for is not there. */
export async function tryGit(repository: Repository, ...args: string[]): Promise<string | null> {
  try {
    return await git(repository, ...args);
  } catch {
    return null;
  }
}

const FORMAT = ["%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B"].join("%x1f");

/** Newest first. */
export async function log(
  repository: Repository,
  range: string[],
  limit = 250,
): Promise<CommitInfo[]> {
  const args = ["log", "-z", `--max-count=${limit}`, `--format=${FORMAT}`, ...range];
  const text = await git(repository, ...args);
  return text
    .split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [sha = "", tree = "", parents = "", an = "", ae = "", ad = "", ...rest] =
        entry.split("\u001F");
      const [cn = "", ce = "", cd = "", message = ""] = rest;
      return {
        sha,
        tree,
        parents: parents.split(" ").filter((parent) => parent !== ""),
        author: { name: an, email: ae, date: utc(ad) },
        committer: { name: cn, email: ce, date: utc(cd) },
        message: message.trimEnd(),
      };
    });
}

function utc(date: string): string {
  return new Date(date).toISOString().replace(/\.\d+Z$/, "Z");
}

export async function commitOf(repository: Repository, sha: string): Promise<CommitInfo> {
  const [commit] = await log(repository, [sha], 1);
  if (commit === undefined) throw notFound();
  return commit;
}

export async function fileAt(
  repository: Repository,
  sha: string,
  path: string,
): Promise<string | null> {
  const text = await tryGit(repository, "cat-file", "blob", `${sha}:${path}`);
  return text;
}

export interface NewCommit {
  branch: string;
  /** Text by path; null deletes. */
  files: Record<string, string | null>;
  message: string;
  author: { name: string; email: string };
  /** Replaces the branch by a commit on top of this one instead of its own tip. */
  onto?: string | undefined;
}

/** Makes a commit on a branch, without any work tree but one of its own. */
export async function commitFiles(repository: Repository, change: NewCommit): Promise<string> {
  const index = join(repository.dir, `index-${crypto.randomUUID()}`);
  const env = {
    GIT_INDEX_FILE: index,
    GIT_AUTHOR_NAME: change.author.name,
    GIT_AUTHOR_EMAIL: change.author.email,
  };
  const run = async (...args: string[]) => await runGit(args, { cwd: repository.dir, env });
  const start = change.onto ?? change.branch;
  const tip = await tryGit(repository, "rev-parse", "-q", "--verify", `${start}^{commit}`);
  const parent = tip ?? (await tryGit(repository, "rev-parse", "-q", "--verify", "HEAD"));
  try {
    if (parent !== null) await run("read-tree", parent);
    for (const [path, text] of Object.entries(change.files)) {
      if (text === null) {
        // It asks for a tree of files, although it looks at none.
        await run("--work-tree=.", "update-index", "--force-remove", path);
        continue;
      }
      const file = `${index}.blob`;
      await writeFile(file, text);
      const blob = await run("hash-object", "-w", file);
      await run("update-index", "--add", "--cacheinfo", `100644,${blob},${path}`);
    }
    const tree = await run("write-tree");
    const parents = parent === null ? [] : ["-p", parent];
    const sha = await run("commit-tree", tree, ...parents, "-m", change.message);
    await run("update-ref", `refs/heads/${change.branch}`, sha);
    return sha;
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.blob`, { force: true });
  }
}
