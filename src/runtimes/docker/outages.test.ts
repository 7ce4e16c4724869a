import { expect, test } from "vitest";
import { createOutages } from "./outages.ts";

test("an end is explained by an outage about that time, and by nothing else", () => {
  let now = 1_000_000;
  const outages = createOutages(() => now);
  expect(outages.explains(now)).toBe(false);
  outages.answered();
  now += 5_000;
  outages.away();
  expect(outages.explains(now)).toBe(false);
  now += 20_000;
  outages.away();
  outages.answered();
  expect(outages.explains(1_000_000)).toBe(true);
  expect(outages.explains(now)).toBe(true);
  expect(outages.explains(now + 60_000)).toBe(false);
  expect(outages.explains(1_000_000 - 60_000)).toBe(false);
});
