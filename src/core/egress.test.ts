import { assert, domain, ipV4, oneof, property, string, webAuthority } from "fast-check";
import { expect, test } from "vitest";
import { isAllowed, parseRule, parseTarget, ruleText } from "./egress.ts";
import type { EgressRule } from "./egress.ts";

const rule = (text: string): EgressRule => {
  const parsed = parseRule(text);
  if ("fault" in parsed) throw new Error(`${text} ${parsed.fault}`);
  return parsed;
};
const allows = (rules: string[], target: string) => {
  const parsed = parseTarget(target, null);
  return !("fault" in parsed) && isAllowed(rules.map(rule), parsed);
};

test("a name has one spelling", () => {
  for (const [text, host] of [
    ["Example.COM:443", "example.com"],
    ["example.com.:443", "example.com"],
    ["bücher.example:443", "xn--bcher-kva.example"],
    ["ｅxample。com:443", "example.com"],
    ["[2001:DB8:0::1]:443", "2001:db8::1"],
    ["192.0.2.1:443", "192.0.2.1"],
  ])
    expect(parseTarget(text ?? "", null)).toMatchObject({ host, port: 443 });
});

test("what is no name is told to be none", () => {
  for (const text of [
    "",
    ":443",
    "example.com",
    "example.com:0",
    "example.com:0443",
    "example.com:65536",
    "example.com:443:443",
    "a..b:443",
    ".a.b:443",
    "a.b..:443",
    "a@b.example:443",
    "a%2eb.example:443",
    "a\0.example:443",
    "a b.example:443",
    "a/b.example:443",
    "a\\b.example:443",
    "-a.example:443",
    "127.1:443",
    "127.0.0.1.:443",
    "0x7f000001:443",
    "0x7f.0.0.1:443",
    "0177.0.0.1:443",
    "2130706433:443",
    "１２７.0.0.1:443",
    "256.1.1.1:443",
    "fe80::1:443",
    "[fe80::1%eth0]:443",
    "[::1:443",
    "[127.0.0.1]:443",
    `${"a".repeat(64)}.example:443`,
    `${"a.".repeat(127)}example:443`,
  ])
    expect([text, parseTarget(text, null)]).toEqual([text, { fault: expect.any(String) }]);
});

test("whatever is read is read the same way again", () => {
  assert(
    property(oneof(domain(), ipV4(), string(), webAuthority()), (text) => {
      const target = parseTarget(text, 443);
      if ("fault" in target) return;
      const host = target.host.includes(":") ? `[${target.host}]` : target.host;
      expect(parseTarget(`${host}:${target.port}`, null)).toEqual(target);
      expect(target.host).toMatch(/^[a-z\d._:-]+$/);
    }),
  );
});

test("a rule means one host, or every name below one, on the ports of the web or on its own", () => {
  expect(allows(["example.com"], "example.com:443")).toBe(true);
  expect(allows(["example.com"], "EXAMPLE.com.:80")).toBe(true);
  expect(allows(["example.com"], "example.com:8443")).toBe(false);
  expect(allows(["example.com:8443"], "example.com:8443")).toBe(true);
  expect(allows(["example.com:8443"], "example.com:443")).toBe(false);
  expect(allows(["example.com"], "www.example.com:443")).toBe(false);
  expect(allows(["*.example.com"], "a.b.example.com:443")).toBe(true);
  expect(allows(["*.example.com"], "example.com:443")).toBe(false);
  expect(allows(["*.example.com"], "evilexample.com:443")).toBe(false);
  expect(allows(["bücher.example"], "xn--bcher-kva.example:443")).toBe(true);
  expect(allows(["192.0.2.1"], "192.0.2.1:443")).toBe(true);
  expect(allows(["[2001:db8::1]:22"], "[2001:DB8::1]:22")).toBe(true);
});

test("a rule is told as it would be written", () => {
  for (const text of ["example.com", "*.example.com:8443", "192.0.2.1", "[2001:db8::1]:22"])
    expect(ruleText(rule(text))).toBe(text);
});

test("a rule that means too much, or nothing, is no rule", () => {
  for (const text of [
    "*",
    "*.com",
    "*.192.0.2.1",
    "a.*.com",
    "https://example.com",
    "example.com/x",
    "10.0.0.0/8",
    "x:y",
  ])
    expect([text, parseRule(text)]).toEqual([text, { fault: expect.any(String) }]);
});
