import { expect, test } from "vitest";
import { HubError, forbidden, upstreamFailed } from "../../core/errors.ts";
import { pauseMs } from "./pause.ts";

function pauses(error: unknown): number[] {
  const all: number[] = [];
  for (let pause = pauseMs(error, 0); pause !== null; pause = pauseMs(error, all.length))
    all.push(pause);
  return all;
}
const sum = (all: readonly number[]) => all.reduce((before, one) => before + one, 0);
const hours = (all: readonly number[]) => sum(all) / 3_600_000;

test("what is refused is tried for hours, what fails for a day, with pauses that grow up to five minutes", () => {
  const refused = pauses(forbidden("not here"));
  expect(refused.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 25_000]);
  expect(hours(refused)).toBeGreaterThan(3);
  expect(hours(refused)).toBeLessThan(5);
  const failed = pauses(upstreamFailed("forge", new Error("down")));
  expect(hours(failed)).toBeGreaterThan(24);
  expect(Math.max(...failed, ...refused)).toBe(300_000);
  expect(pauses(new Error("a fault of ours"))).toEqual(failed);
});

test("the longer the forge was away, the less of that time is waited once more", () => {
  const failed = pauses(upstreamFailed("forge", new Error("down")));
  const looks = failed.map((pause, at) => ({ pause, awayMs: sum(failed.slice(0, at)) }));
  const longest = (afterMs: number) =>
    Math.max(...looks.filter((one) => one.awayMs > afterMs).map((one) => one.pause / one.awayMs));
  expect(longest(30_000)).toBeLessThan(0.75);
  expect(longest(300_000)).toBeLessThan(0.33);
});

test("the forge may ask for more time", () => {
  const error = new HubError("rate_limited", "wait", { retryAfterSeconds: 1_200 });
  expect(pauseMs(error, 0)).toBe(1_200_000);
  expect(pauseMs(error, 10_000)).toBe(null);
  expect(pauseMs(new HubError("rate_limited", "wait", { retryAfterSeconds: 1 }), 2)).toBe(20_000);
});
