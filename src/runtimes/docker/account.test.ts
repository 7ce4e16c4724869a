import { expect, test } from "vitest";
import { accountOf } from "./account.ts";
import { userFor } from "./confinement.ts";

const PASSWD = "root:x:0:0::/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n";

test.each([
  ["node", { uid: 1_000, gid: 1_001 }],
  ["node:staff", { uid: 1_000, gid: 1_001 }],
  ["1000", { uid: 1_000, gid: 1_001 }],
  ["1000:7", { uid: 1_000, gid: 7 }],
  ["4711", { uid: 4_711, gid: 0 }],
  ["nobody-there", null],
])("the user %s of an image is found", (user, account) => {
  expect(accountOf(user, PASSWD)).toEqual(account);
});

test.each([
  ["", "1000:1000"],
  ["0", "1000:1000"],
  ["root", "1000:1000"],
  ["0:0", "1000:1000"],
  ["root:staff", "1000:1000"],
  ["node", "node"],
  ["rooter", "rooter"],
  ["1000", "1000"],
])("an image's user %j becomes %s", (given, used) => {
  expect(userFor(given)).toBe(used);
});
