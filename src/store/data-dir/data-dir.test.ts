import { chmod, mkdir, readdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startHolder } from "../../../test/kit/hub/holder.ts";
import { createTempDir } from "../../../test/kit/temp-dir.ts";
import { openDataDir } from "./data-dir.ts";

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

test("makes the directory for the owner alone, and leaves nothing of its lock behind", async () => {
  await using temp = await createTempDir("dir");
  const path = join(temp.path, "not/yet/there");
  {
    await using dir = await openDataDir(path);
    expect(dir.path).toBe(path);
    expect(await modeOf(path)).toBe(0o700);
    expect(await readdir(path)).toHaveLength(1);
  }
  expect(await readdir(path)).toEqual([]);
  await using _again = await openDataDir(path);
});

test("closes a directory that others can only read, and refuses one that they can write", async () => {
  await using temp = await createTempDir("dir");
  const path = join(temp.path, "data");
  await mkdir(path);
  await chmod(path, 0o755);
  {
    await using _dir = await openDataDir(path);
    expect(await modeOf(path)).toBe(0o700);
  }
  for (const mode of [0o770, 0o702]) {
    await chmod(path, mode);
    await expect(openDataDir(path)).rejects.toThrow(
      `the data directory ${path} can be written by others; it must have mode 0700`,
    );
    expect(await readdir(path)).toEqual([]);
  }
});

test("refuses a path that is too long for the sockets in it", async () => {
  await using temp = await createTempDir("dir");
  const path = join(temp.path, "x".repeat(100));
  await expect(openDataDir(path)).rejects.toThrow("too long for the sockets in it");
  expect(await readdir(temp.path)).toEqual([]);
});

test("a second hub is refused and told who is there, by whatever path it comes", async () => {
  await using temp = await createTempDir("dir");
  const path = join(temp.path, "data");
  const refused = `another hub (process ${process.pid}) is at work in the same data directory`;
  await using _first = await openDataDir(path);
  await expect(openDataDir(path)).rejects.toThrow(refused);
  await symlink(path, join(temp.path, "link"));
  await using second = await startHolder("data-dir", join(temp.path, "link"));
  expect(second.said).toBe(`refused ${refused}`);
});

test("after kill -9 the next hub gets it, whoever has the process id now", async () => {
  await using temp = await createTempDir("dir");
  const path = join(temp.path, "data");
  await using first = await startHolder("data-dir", path);
  expect(first.said).toBe(`held ${path}`);
  await expect(openDataDir(path)).rejects.toThrow(`(process ${first.pid})`);
  await first.kill();
  expect(await readdir(path)).toHaveLength(1);
  await using _second = await openDataDir(path);
  expect(await readdir(path)).toHaveLength(1);
});

test("of many that start at once over a lock that was left behind, exactly one gets it", async () => {
  await using temp = await createTempDir("dir");
  const path = join(temp.path, "data");
  for (let round = 0; round < 5; round += 1) {
    await using first = await startHolder("data-dir", path);
    await first.kill();
    const settled = await Promise.allSettled(Array.from({ length: 8 }, () => openDataDir(path)));
    const held = settled.filter((one) => one.status === "fulfilled");
    expect(held).toHaveLength(1);
    await held[0]?.value[Symbol.asyncDispose]();
    expect(await readdir(path)).toEqual([]);
  }
});

test("a hub that is stopped in its tracks still holds it", { timeout: 30_000 }, async () => {
  await using temp = await createTempDir("dir");
  const path = join(temp.path, "data");
  await using first = await startHolder("data-dir", path);
  process.kill(first.pid, "SIGSTOP");
  try {
    await expect(openDataDir(path)).rejects.toThrow("another hub is at work");
  } finally {
    process.kill(first.pid, "SIGCONT");
  }
});
