import { expect, test } from "vitest";
import type { Sent } from "../../forge/forge.ts";
import { missedOf } from "./missed.ts";

function sent(id: string, deliveryId: string, at: number, state: Sent["state"] = "failed"): Sent {
  return { id, deliveryId, deliveredAt: new Date(at), state };
}

test("the first try of each delivery that never arrived, the oldest first", () => {
  const all = [
    sent("9", "redelivered", 90, "arrived"),
    sent("8", "twice", 80),
    sent("7", "on its way", 70, "on its way"),
    sent("10", "same moment", 60),
    sent("6", "before it", 60),
    sent("5", "known", 50),
    sent("4", "twice", 40),
    sent("3", "redelivered", 30),
  ];
  expect(missedOf(all, new Set(["known"])).map(({ id }) => id)).toEqual(["4", "6", "10"]);
});
