import { expect, test } from "vitest";
import { createForgeTime } from "./forge-time.ts";

const NOW = Date.UTC(2026, 3, 1, 12);
const HOUR_MS = 3_600_000;
const at = (ms: number) => new Date(ms).toUTCString();

test("a clock that is hours away is followed, forth and back", () => {
  const time = createForgeTime(() => NOW);
  for (const aheadMs of [3 * HOUR_MS, -3 * HOUR_MS, 0]) {
    time.hear(at(NOW + aheadMs), NOW - 100);
    expect(time.now()).toBe(NOW + aheadMs);
    expect(time.toOwn(new Date(NOW + aheadMs + HOUR_MS))).toEqual(new Date(NOW + HOUR_MS));
  }
});

test("an answer that took long says nothing of the clock, and neither does one without a time", () => {
  const time = createForgeTime(() => NOW);
  time.hear(at(NOW - 30_000), NOW - 60_000);
  expect(time.now()).toBe(NOW);
  for (const odd of [null, "", "yesterday"]) time.hear(odd, NOW);
  expect(time.now()).toBe(NOW);
});
