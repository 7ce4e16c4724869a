import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { firstFile, packArchive } from "./archive.ts";

const OWNER = { uid: 1_234, gid: 5_678 };

test("tar reads what is packed", () => {
  const archive = packArchive({ "spool/": null, "spool/lock": "stopped\n" }, OWNER);
  const listed = execFileSync("tar", ["--numeric-owner", "-tvf", "-"], {
    input: archive,
    encoding: "utf8",
  });
  const lines = listed.trim().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/^drwx------ 1234\/5678 .* spool\/$/);
  expect(lines[1]).toMatch(/^-rw------- 1234\/5678 +8 .* spool\/lock$/);
  const text = execFileSync("tar", ["-xOf", "-", "spool/lock"], { input: archive });
  expect(text.toString()).toBe("stopped\n");
});

test("the first file of an archive is read", () => {
  expect(firstFile(packArchive({ passwd: "root:x:0:0::/:/bin/sh\n" }, OWNER))).toBe(
    "root:x:0:0::/:/bin/sh\n",
  );
  expect(firstFile(packArchive({ "etc/": null }, OWNER))).toBeNull();
  expect(firstFile(Buffer.alloc(0))).toBeNull();
});

test("a number that does not fit is refused", () => {
  expect(() => packArchive({ a: "" }, { uid: 2 ** 31, gid: 0 })).toThrow("does not fit");
});
