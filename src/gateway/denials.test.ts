import pino from "pino";
import { expect, test } from "vitest";
import { HubError, forbidden } from "../core/errors.ts";
import { newId } from "../core/id.ts";
import { createDenials } from "./denials.ts";
import type { Denial } from "./denials.ts";

function denials() {
  const told: Denial[] = [];
  const deny = createDenials({
    door: "git",
    onDenial: (denial) => Promise.resolve(void told.push(denial)),
    log: pino({ level: "silent" }),
  });
  return { told, deny };
}

test("a flood of denials is a few events, each session's for itself", () => {
  const { told, deny } = denials();
  const [one, other] = [newId(), newId()];
  for (let n = 0; n < 150; n += 1) deny(one, forbidden("no"));
  deny(other, forbidden("no"));
  expect(told.map(({ sessionId, count }) => [sessionId, count])).toEqual([
    [one, 1],
    [one, 10],
    [one, 100],
    [other, 1],
  ]);
});

test("sorts beyond a bound are not told, nor is what is no misdeed", () => {
  const { told, deny } = denials();
  const id = newId();
  for (let n = 0; n < 100; n += 1) deny(id, forbidden(`no ${n}`));
  deny(newId(), new HubError("rate_limited", "later"));
  expect(told).toHaveLength(20);
});
