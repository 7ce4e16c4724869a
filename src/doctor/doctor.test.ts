import { expect, test } from "vitest";
import { judgeClock } from "./database.ts";
import { checkDisk, checkNode } from "./machine.ts";

const GIB = 1_073_741_824;

test.each([
  [100, "ok"],
  [3, "warning"],
  [0.5, "failed"],
])("a disk with %d GiB free is %s", async (free, state) => {
  const space = () => Promise.resolve({ freeBytes: free * GIB, bytes: 200 * GIB });
  expect(await checkDisk("/data", space)).toMatchObject({ check: "disk", state });
});

test("a real disk is measured", async () => {
  expect((await checkDisk(import.meta.dirname)).found).toMatch(/^[\d.]+ of [\d.]+ GiB are free/);
});

test.each([
  [0, 10, "ok"],
  [4_000, 10, "ok"],
  // The question itself took so long.
  [7_000, 3_000, "ok"],
  [60_000, 10, "warning"],
  [-60_000, 10, "warning"],
])("a clock that is %d ms ahead, asked in %d ms, is %s", (aheadMs, tookMs, state) => {
  const now = new Date("2026-01-01T00:00:00Z");
  const asked = { version: "18.1", now, tookMs, applied: [] };
  expect(judgeClock(asked, now.getTime() - aheadMs)).toMatchObject({ check: "clock", state });
});

test("an old Node.js is told", () => {
  expect(checkNode("v20.1.0")).toMatchObject({ state: "failed" });
  expect(checkNode("v24.0.0")).toMatchObject({ state: "ok" });
});
