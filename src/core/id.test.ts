import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { IdPrefix, idsFrom, newId } from "./id.ts";

test("the beginning of an id stands for the ids that begin so, and no others", () => {
  assert(
    property(integer({ min: 1, max: 36 }), (length) => {
      const [mine, other] = [newId(), "ffffffff-ffff-7fff-bfff-ffffffffffff"];
      const { first, last } = idsFrom(IdPrefix.parse(mine.slice(0, length).toUpperCase()));
      expect(first <= mine && mine <= last).toBe(true);
      expect(other <= last).toBe(false);
      expect(first.slice(0, length).replace(/-$/, "")).toBe(
        mine.slice(0, length).replace(/-$/, ""),
      );
    }),
  );
  expect(idsFrom("f")).toEqual({
    first: "f0000000-0000-0000-0000-000000000000",
    last: "ffffffff-ffff-ffff-ffff-ffffffffffff",
  });
});

test.each(["", "-1", "g", "%", "0".repeat(33), "0'"])("%j is no beginning of an id", (text) => {
  expect(IdPrefix.safeParse(text).success).toBe(false);
});
