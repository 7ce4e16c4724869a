import { expect, test } from "vitest";
import { stepOf } from "./gate.ts";
import type { Found, Gate } from "./gate.ts";

const SETTINGS = { debounceMs: 30, maxWaitMs: 1_000, noChecksMs: 300, whenLate: "skip" } as const;
const at = (ms: number) => new Date(ms);
const ARMED: Gate = { state: "armed", armedAt: at(0), readyAt: null, dueAt: at(0) };
const GREEN: Found = { refusal: null, isHead: true, verdict: "passed", isWoken: true };
const step = (gate: Gate, found: Partial<Found>, ms: number, settings = {}) =>
  stepOf(gate, { ...GREEN, ...found }, { ...SETTINGS, ...settings }, at(ms));

test("without checks it stays armed, and is reviewed when none have come", () => {
  expect(step(ARMED, { verdict: "none" }, 10)).toMatchObject({ state: "armed", dueAt: at(300) });
  expect(step(ARMED, { verdict: "none" }, 300).state).toBe("reviewing");
});

test("it waits for checks, and at the deadline the policy decides", () => {
  expect(step(ARMED, { verdict: "waiting" }, 10)).toMatchObject({
    state: "waiting",
    dueAt: at(1_000),
  });
  expect(step(ARMED, { verdict: "waiting" }, 1_000)).toMatchObject({
    state: "skipped",
    reason: "checks have not ended in time",
  });
  const late = step(ARMED, { verdict: "waiting" }, 1_000, { whenLate: "review" });
  expect(late.state).toBe("reviewing");
});

test("red waits for what may mend it, and not for time", () => {
  expect(step(ARMED, { verdict: "failed" }, 10)).toMatchObject({
    state: "waiting",
    dueAt: at(1_000),
  });
  expect(step(ARMED, { verdict: "failed" }, 1_000)).toMatchObject({
    state: "waiting",
    dueAt: null,
  });
  expect(step({ ...ARMED, state: "waiting", dueAt: null }, {}, 5_000).state).toBe("ready");
});

test("green is reviewed when it has been quiet for a while, and what happens in between begins the while anew", () => {
  const first = step(ARMED, {}, 10);
  expect(first).toMatchObject({ state: "ready", readyAt: at(10), dueAt: at(40) });
  const ready = { ...ARMED, ...first };
  expect(step(ready, { isWoken: false }, 39)).toMatchObject({ state: "ready", dueAt: at(40) });
  expect(step(ready, {}, 39)).toMatchObject({ state: "ready", readyAt: at(10), dueAt: at(69) });
  expect(step(ready, { isWoken: false }, 40).state).toBe("reviewing");
  expect(step(ready, { verdict: "waiting" }, 40)).toMatchObject({
    state: "waiting",
    readyAt: null,
  });
  // Nobody puts it off for ever.
  expect(step(ready, {}, 1_010).state).toBe("reviewing");
});

test("another head and a reason against it end it, whatever the checks say", () => {
  expect(step(ARMED, { isHead: false, refusal: "x" }, 10).state).toBe("superseded");
  expect(step(ARMED, { refusal: "it is a draft" }, 10)).toMatchObject({
    state: "skipped",
    reason: "it is a draft",
  });
});
