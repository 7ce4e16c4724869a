import { expect, test } from "vitest";
import { HubError, forbidden, upstreamFailed } from "../../core/errors.ts";
import { pauseMs } from "./pause.ts";

function pauses(error: unknown): number[] {
  const all: number[] = [];
  for (let pause = pauseMs(error, 0); pause !== null; pause = pauseMs(error, all.length))
    all.push(pause);
  return all;
}
const hours = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / 3_600_000;

test("what is refused is tried for hours, what fails for a day, with pauses that grow up to ten minutes", () => {
  const refused = pauses(forbidden("not here"));
  expect(refused.slice(0, 3)).toEqual([5_000, 10_000, 20_000]);
  expect(hours(refused)).toBeGreaterThan(3);
  expect(hours(refused)).toBeLessThan(5);
  const failed = pauses(upstreamFailed("forge", new Error("down")));
  expect(hours(failed)).toBeGreaterThan(24);
  expect(Math.max(...failed, ...refused)).toBe(600_000);
  expect(pauses(new Error("a fault of ours"))).toEqual(failed);
});

test("the forge may ask for more time", () => {
  const error = new HubError("rate_limited", "wait", { retryAfterSeconds: 1_200 });
  expect(pauseMs(error, 0)).toBe(1_200_000);
});
