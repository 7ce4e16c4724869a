import { expect, test } from "vitest";
import type { Permission } from "../core/permission.ts";
import { refusalFor } from "./authority.ts";

const SETTINGS = { permission: "write", bots: [7], fault: null } as const;

function decide(
  sender: { id: number; login: string; isBot: boolean },
  has: Permission,
  users: string[] | null = null,
) {
  const repository = { permissionOf: () => Promise.resolve(has) };
  return refusalFor({ ...SETTINGS, authorizedUsers: users }, repository, sender);
}

const ada = { id: 1, login: "Ada", isBot: false };

test("who may write may ask, and nobody else", async () => {
  expect(await decide(ada, "write")).toBeNull();
  expect(await decide(ada, "admin")).toBeNull();
  expect(await decide(ada, "triage")).toContain("it takes write");
  expect(await decide(ada, "none")).toContain("has the permission none");
});

test("a list of users is a further restriction, and gives nobody anything", async () => {
  expect(await decide(ada, "write", ["ada"])).toBeNull();
  expect(await decide(ada, "write", ["tim"])).toContain("AUTHORIZED_USERS");
  expect(await decide(ada, "read", ["ada"])).toContain("it takes write");
  expect(await decide(ada, "admin", [])).toContain("AUTHORIZED_USERS");
});

test("a bot may ask only by its id, and with the same permission", async () => {
  expect(await decide({ id: 7, login: "renovate[bot]", isBot: true }, "write")).toBeNull();
  expect(await decide({ id: 7, login: "renovate[bot]", isBot: true }, "read")).not.toBeNull();
  expect(await decide({ id: 8, login: "renovate[bot]", isBot: true }, "admin")).toContain(
    "may not",
  );
});
