import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EVENT_KINDS, boundedBody } from "./event.ts";
import { eventText } from "./event-text.ts";

test("a body never exceeds its bound, whatever is in it", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
      expect(
        JSON.stringify(boundedBody(JSON.parse(JSON.stringify(body)), 200)).length,
      ).toBeLessThanOrEqual(200);
    }),
  );
});

test("what is cut says how much is missing, and keeps its beginning", () => {
  const body = boundedBody({ text: "x".repeat(100_000), other: 1 }, 1_000);
  expect(body["text"]).toMatch(/^x+$/);
  expect(body["other"]).toBe(1);
  expect(Number(body["truncated"])).toBeGreaterThan(99_000);
});

test("what PostgreSQL cannot hold is replaced", () => {
  expect(boundedBody({ text: "a\u0000b\ud800c" })).toEqual({ text: "a\ufffdb\ufffdc" });
  // Text that only looks like an escape stays as it is in meaning: JSON, and without NUL.
  expect(JSON.stringify(boundedBody({ text: "\\u0000" }))).not.toContain("\u0000");
});

test("every kind reads as one line without control characters", () => {
  for (const kind of EVENT_KINDS) {
    const text = eventText({
      kind,
      body: { text: "a\nb\u001b[31m", raw: "\u0007", error: "e\r\n" },
    });
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(text).not.toMatch(/[\u0000-\u001f\u007f]/);
    expect(text.length).toBeGreaterThan(0);
  }
});
