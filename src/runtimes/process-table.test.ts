import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { createProcessTable } from "./process-table.ts";

const NAME = "claude-session-00000001";

/** What a system shows of its processes, as files that the test writes. */
async function openProc() {
  const temp = await createTempDir("proc");
  const table = createProcessTable("ours", temp.path);
  await mkdir(join(temp.path, "self/ns"), { recursive: true });
  await symlink("pid:[1]", join(temp.path, "self/ns/pid"));
  const marks = Object.entries(table.markers(NAME)).map(([key, value]) => `${key}=${value}\0`);
  const at = (pid: number) => join(temp.path, String(pid));
  return {
    table,
    async begin(pid: number) {
      await mkdir(join(at(pid), "ns"), { recursive: true });
      await symlink("pid:[1]", join(at(pid), "ns/pid"));
      await symlink("/bin/node", join(at(pid), "exe"));
      for (const file of ["environ", "cmdline"]) await writeFile(join(at(pid), file), "");
    },
    command: (pid: number) => writeFile(join(at(pid), "cmdline"), `node\0runner\0${NAME}\0`),
    marks: (pid: number) => writeFile(join(at(pid), "environ"), marks.join("")),
    end: (pid: number) => rm(at(pid), { recursive: true }),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

test("a runner is not taken for gone while one program takes the place of another", async () => {
  await using proc = await openProc();
  await proc.begin(2);
  const asked = [proc.table.running(), proc.table.runnerRuns(NAME), proc.table.family(NAME)];
  await pause(50);
  await proc.marks(2);
  await proc.command(2);
  expect(await Promise.all(asked)).toEqual([new Set([NAME]), true, [2]]);
});

test("a shell that has its mark and is becoming the runner runs", async () => {
  await using proc = await openProc();
  await proc.begin(2);
  await proc.marks(2);
  const asked = proc.table.running();
  await pause(50);
  await proc.command(2);
  expect(await asked).toEqual(new Set([NAME]));
});

test("what has no environment, has ended or never shows anything is none of ours", async () => {
  await using proc = await openProc();
  for (const pid of [2, 3, 4]) await proc.begin(pid);
  await proc.command(2);
  const asked = proc.table.running();
  await pause(20);
  await proc.end(3);
  expect(await asked).toEqual(new Set());
  // The one that shows nothing is not waited for again, and found when it does.
  await proc.begin(5);
  await proc.marks(5);
  await proc.command(5);
  expect(await proc.table.running()).toEqual(new Set([NAME]));
  await proc.end(5);
  await proc.marks(4);
  await proc.command(4);
  expect(await proc.table.running()).toEqual(new Set([NAME]));
});
