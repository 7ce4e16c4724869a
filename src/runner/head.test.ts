import { execFileSync } from "node:child_process";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { watchHead } from "./head.ts";

test("another commit is seen once, on a branch or without one, and what is no file is passed over", async () => {
  await using dir = await createTempDir();
  const git = join(dir.path, ".git");
  await mkdir(join(git, "refs/heads/claude"), { recursive: true });
  const head = join(git, "HEAD");
  const branch = join(git, "refs/heads/claude/work");
  const [one, two, three] = ["1", "2", "3"].map((digit) => digit.repeat(40));
  await writeFile(head, "ref: refs/heads/claude/work\n");
  await writeFile(branch, `${one}\n`);
  const seen: string[] = [];
  const watch = watchHead(dir.path, (sha) => seen.push(sha));
  const then = async (change: () => Promise<unknown>) => {
    await change();
    watch.look();
    watch.look();
  };
  await then(async () => undefined);
  await then(() => writeFile(branch, `${two}\n`));
  await then(() => writeFile(head, `${three}\n`));
  await then(() => writeFile(head, "ref: refs/heads/../../../../etc/passwd\n"));
  await then(() => writeFile(head, "x".repeat(10_000)));
  await then(async () => {
    await rm(head);
    await symlink(branch, head);
  });
  await then(async () => {
    await rm(head);
    execFileSync("/usr/bin/mkfifo", [head]);
  });
  await then(() => rm(git, { recursive: true }));
  expect(seen).toEqual([two, three]);
});
