import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { endProcesses } from "./ending.ts";
import { createProcessTable } from "./process-table.ts";

const NO_GROUPS = { forbidForks: () => Promise.resolve(), members: () => Promise.resolve([]) };

test("what was killed is waited for although it shows nothing any more", async () => {
  const child = spawn("sleep", ["86400"], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  let looks = 0;
  const family = () => Promise.resolve(looks === 0 ? [pid] : []);
  const startOf = () => {
    looks += 1;
    return looks < 10 ? "1" : null;
  };
  const real = createProcessTable("owner-of-the-test");
  expect(real.startOf(pid)).toMatch(/^\d+$/);
  const ended = once(child, "exit");
  await endProcesses("claude-session-00000001", { family, startOf }, NO_GROUPS);
  expect(looks).toBeGreaterThanOrEqual(10);
  await ended;
  expect(real.startOf(pid)).toBeNull();
});
