import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fateOf } from "./retry.ts";
import type { Answer } from "./retry.ts";

const answered = (status: number, retryAfterMs: number | null = null): Answer => ({
  kind: "answered",
  status,
  retryAfterMs,
});

test.each<[Answer, string]>([
  [answered(200), "told"],
  [answered(204), "told"],
  [answered(302), "given up"],
  [answered(400), "again"],
  [answered(410), "given up"],
  [answered(429), "again"],
  [answered(500), "again"],
  [{ kind: "unreachable", reason: "no address answered" }, "again"],
  [{ kind: "refused", reason: "has an address that is not public" }, "given up"],
])("after %j it is %s", (answer, kind) => {
  expect(fateOf(answer, 1).kind).toBe(kind);
});

test("a receiver that asks for a pause gets it, of an hour at the most, and never a shorter one than usual", () => {
  expect(fateOf(answered(429, 20_000), 1, 0)).toMatchObject({ waitMs: 20_000 });
  expect(fateOf(answered(429, 1_000), 1, 0)).toMatchObject({ waitMs: 5_000 });
  expect(fateOf(answered(503, 1e12), 1, 0)).toMatchObject({ waitMs: 3_600_000 });
});

test("whatever the answers are, it ends after some tries, over a day and no more than two", () => {
  const answer = fc.oneof(
    fc.constant<Answer>({ kind: "unreachable", reason: "x" }),
    fc
      .tuple(fc.integer({ min: 400, max: 599 }), fc.option(fc.nat()))
      .map(([status, after]) => answered(status === 410 ? 500 : status, after)),
  );
  fc.assert(
    fc.property(
      fc.infiniteStream(answer),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (answers, random) => {
        let attempts = 0;
        let waitedMs = 0;
        for (const one of answers) {
          attempts += 1;
          const fate = fateOf(one, attempts, random);
          if (fate.kind !== "again") break;
          waitedMs += fate.waitMs;
        }
        expect(attempts).toBe(9);
        expect(waitedMs).toBeGreaterThan(24 * 3_600_000);
        expect(waitedMs).toBeLessThan(48 * 3_600_000);
      },
    ),
  );
});
