import { expect, test } from "vitest";
import { createAddressCheck } from "./addresses.ts";

const PRIVATE = "has an address that is not public";
const HUB = "is the hub itself";

function checkWith(ranges: string[] = [], hubPorts: number[] = []) {
  const check = createAddressCheck({
    ranges,
    hubPorts: () => new Set(hubPorts),
    ownAddresses: () => ["127.0.0.1", "::1", "93.184.216.99", "2606:2800::99"],
  });
  return (address: string, port = 443, isListed = false) => check(address, port, isListed);
}

test("public addresses pass, those of this machine among them do not", () => {
  const check = checkWith();
  expect(check("93.184.216.34")).toBeNull();
  expect(check("2606:2800:220:1::1")).toBeNull();
  expect(check("93.184.216.99")).toBe(PRIVATE);
  expect(check("2606:2800::99")).toBe(PRIVATE);
  expect(check("4000::1")).toBe(PRIVATE);
});

test("an administrator opens ranges, and with a range of translated addresses not what lies behind", () => {
  const check = checkWith(["10.1.0.0/16", "fd00::/8", "64:ff9b::/96", "192.168.7.7"]);
  expect(check("10.1.2.3")).toBeNull();
  expect(check("10.2.2.3")).toBe(PRIVATE);
  expect(check("192.168.7.7")).toBeNull();
  expect(check("192.168.7.8")).toBe(PRIVATE);
  expect(check("fd12::1")).toBeNull();
  expect(check("64:ff9b::5db8:d822")).toBeNull();
  expect(check("64:ff9b::a9fe:a9fe")).toBe(PRIVATE);
  expect(check("64:ff9b::a01:203")).toBeNull();
  expect(check("::ffff:10.1.2.3")).toBe(PRIVATE);
});

test("the hub's own ports stay closed, in every form and whatever is opened", () => {
  const check = checkWith(["0.0.0.0/0", "::/0"], [3002, 5432]);
  for (const address of [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.99",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "93.184.216.99",
    "2606:2800::99",
  ]) {
    expect([address, check(address, 3002)]).toEqual([address, HUB]);
    expect([address, check(address, 5432, true)]).toEqual([address, HUB]);
  }
  expect(check("127.0.0.1", 8080)).toBeNull();
  expect(check("93.184.216.34", 3002)).toBeNull();
});
