import { expect, test } from "vitest";
import { createPace } from "./pace.ts";

const HOUR_MS = 3_600_000;

test("a comment is edited every five seconds at the most, and less often when there are many", () => {
  let at = 0;
  const pace = createPace(() => at);
  expect(pace.mayEdit("a", 1)).toBe(true);
  at = 4_999;
  expect(pace.mayEdit("a", 1)).toBe(false);
  at = 12_000;
  expect(pace.mayEdit("a", 1)).toBe(true);
  at = 12_000 + 5_001;
  expect(pace.mayEdit("a", 20)).toBe(false);
});

test("two hundred sessions at once stay within a minute's and an hour's writes", () => {
  let at = 0;
  const pace = createPace(() => at);
  const waiting = new Set(Array.from({ length: 200 }, (_, index) => String(index)));
  const writes: number[] = [];
  for (at = 0; at < HOUR_MS; at += 15_000) {
    for (const id of [...waiting].slice(0, 100))
      if (pace.mayBegin(false)) {
        writes.push(at);
        waiting.delete(id);
      }
    for (let id = 0; id < 200; id += 1) if (pace.mayEdit(String(id), 200)) writes.push(at);
  }
  expect(waiting.size).toBe(0);
  expect(writes.length).toBeLessThanOrEqual(500);
  for (let minute = 0; minute < 60; minute += 1) {
    const from = minute * 60_000;
    const inIt = writes.filter((one) => one >= from && one < from + 60_000);
    expect(inIt.length).toBeLessThanOrEqual(80);
  }
});

test("what cannot wait counts, too", () => {
  const pace = createPace(() => 0);
  for (let write = 0; write < 60; write += 1) pace.count();
  expect(pace.mayBegin(false)).toBe(false);
});

test("those that wait leave the most to those that run", () => {
  const pace = createPace(() => 0);
  const waiting = Array.from({ length: 60 }, () => pace.mayBegin(true)).filter(Boolean);
  expect(waiting.length).toBeLessThan(30);
  expect(pace.mayBegin(false)).toBe(true);
});
