import { createCipheriv } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createGitDoorHouse, REPOSITORY } from "../test/kit/forge/git-door.ts";
import { runGit } from "../test/kit/forge/git.ts";
import { createTempDir } from "../test/kit/temp-dir.ts";
import { median } from "./table.ts";
import type { Figure } from "./table.ts";

const FILES = 200;
/** Packed; base64 takes a third more on disk. */
const FILE_BYTES = 1_048_576;
const RUNS = 5;

/** A repository of 200 MB through the git door, whose mirror is warm, beside git itself on the same disk. */
export async function measureGitClone(): Promise<Figure[]> {
  await using temp = await createTempDir("bench-clone");
  await using house = await createGitDoorHouse({ files: content() });
  const bare = await house.forge.git(REPOSITORY, "rev-parse", "--absolute-git-dir");
  await house.forge.git(REPOSITORY, "gc", "-q");
  const member = house.join();
  const dir = join(temp.path, "clone");
  const throughDoor = () => member.git(["clone", "-q", member.cloneUrl, dir]);
  const fromPath = () => runGit(["clone", "-q", "--no-local", bare, dir], { cwd: temp.path });
  await timed(throughDoor, dir);
  const [doorMs, pathMs]: [number[], number[]] = [[], []];
  // In turns, so that what else the machine does at a time falls on both.
  for (let run = 0; run < RUNS; run += 1) {
    pathMs.push(await timed(fromPath, dir));
    doorMs.push(await timed(throughDoor, dir));
  }
  const reference = { name: "git clone --no-local PATH", value: median(pathMs) };
  return [
    {
      what: "clone of 200 MB through the git door, mirror warm (median)",
      value: median(doorMs),
      unit: "ms",
      reference,
      target: { value: 1.2 * reference.value, atMost: true },
    },
  ];
}

async function timed(work: () => Promise<unknown>, dir: string): Promise<number> {
  const startedAt = performance.now();
  await work();
  const tookMs = performance.now() - startedAt;
  await rm(dir, { recursive: true, force: true });
  return tookMs;
}

/** The same each time, and nothing that could be packed any smaller. */
function content(): Record<string, string> {
  const stream = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  const nothing = Buffer.alloc(FILE_BYTES);
  return Object.fromEntries(
    Array.from({ length: FILES }, (_, n) => [
      `data/${n}.txt`,
      stream.update(nothing).toString("base64"),
    ]),
  );
}
