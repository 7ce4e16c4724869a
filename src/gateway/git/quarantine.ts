import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NO_SHA } from "./commands.ts";
import type { RefCommand } from "./commands.ts";
import type { GitLimits } from "./limits.ts";
import { GitError, gitEnvironment, runGit } from "./process.ts";
import type { Setting } from "./process.ts";

/** Pushed objects in a place of their own, where git sees them together with the mirror's, until they are vetted. */
export interface Quarantine {
  objectsDir: string;
  /** @throws GitError when the pack is broken, too large, or holds what git's own checks refuse. */
  take(pack: AsyncIterable<Uint8Array>): Promise<void>;
  /** What speaks against these commands now that their objects are here; null: nothing. */
  vet(commands: readonly RefCommand[], may: { pushWorkflows: boolean }): Promise<string | null>;
  git(
    args: string[],
    more?: { settings?: Setting[]; timeoutMs?: number },
  ): Promise<{ stdout: string; stderr: string }>;
}

export async function openQuarantine(options: {
  place: string;
  mirrorDir: string;
  environment: Readonly<Record<string, string>>;
  limits: GitLimits;
}): Promise<Quarantine> {
  const { limits } = options;
  const objectsDir = join(options.place, "objects");
  await mkdir(join(objectsDir, "info"), { recursive: true });
  await mkdir(join(objectsDir, "pack"));
  // A file, because a list in the environment would break at a colon in the path.
  await writeFile(join(objectsDir, "info", "alternates"), `${options.mirrorDir}/objects\n`);

  const run = (
    args: string[],
    more: { settings?: Setting[]; timeoutMs?: number; input?: AsyncIterable<Uint8Array> } = {},
  ) =>
    runGit({
      args,
      env: {
        ...gitEnvironment(options.environment, more.settings),
        GIT_DIR: options.mirrorDir,
        GIT_OBJECT_DIRECTORY: objectsDir,
      },
      timeoutMs: more.timeoutMs ?? limits.commandTimeoutMs,
      ...(more.input === undefined ? {} : { input: more.input }),
    });

  async function isAncestor(ancestor: string, sha: string): Promise<boolean> {
    try {
      await run(["merge-base", "--is-ancestor", ancestor, sha]);
      return true;
    } catch (error) {
      // 1 is git's "no", and prints nothing.
      if (error instanceof GitError && error.stderr === "") return false;
      throw error;
    }
  }

  /** Files below .github/workflows that any commit new to the forge touches; of a merge, only what it makes up itself. */
  async function changedWorkflows(shas: string[]): Promise<string[]> {
    const { stdout } = await run([
      "log",
      "--full-history",
      "-c",
      "--no-renames",
      "--name-only",
      "--format=",
      "-z",
      ...shas,
      "--not",
      "--all",
      "--",
      ".github/workflows",
    ]);
    return stdout.split(/[\0\n]+/).filter((name) => name !== "");
  }

  return {
    objectsDir,
    async take(pack) {
      const args = ["index-pack", "--stdin", "--fix-thin", "--strict"];
      await run([...args, `--max-input-size=${limits.maxPushBytes}`], {
        input: pack,
        timeoutMs: limits.transferTimeoutMs,
      });
    },
    async vet(commands, may) {
      const shas = commands.map(({ newSha }) => newSha);
      try {
        // Everything that is new must be complete, as `git receive-pack` demands.
        await run(["rev-list", "--objects", "--quiet", ...shas, "--not", "--all"]);
        for (const sha of shas) {
          const { stdout } = await run(["cat-file", "-t", sha]);
          if (stdout.trim() !== "commit") return "a branch can only name a commit";
        }
      } catch (error) {
        if (error instanceof GitError) return "the push lacks objects that it refers to";
        throw error;
      }
      for (const { oldSha, newSha } of commands)
        if (oldSha !== NO_SHA && !(await isAncestor(oldSha, newSha)))
          return "not a fast-forward; sessions may not rewrite what they have pushed";
      if (may.pushWorkflows) return null;
      const [workflow] = await changedWorkflows(shas);
      return workflow === undefined
        ? null
        : `changes ${workflow}; this session may not change .github/workflows`;
    },
    git: run,
  };
}
