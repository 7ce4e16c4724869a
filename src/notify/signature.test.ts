import { expect, test } from "vitest";
import { NOTICE_SECRET } from "../core/notice.ts";
import { Secret } from "../core/secret.ts";
import { signatureHeaders } from "./signature.ts";

// Made with the library of the Standard Webhooks project for JavaScript, 1.1.1.
const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOTICE = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: '{"test": 2432232314}' };
const SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

test("a notice is signed as the standard has it, by the new key and by the one before it", () => {
  const at = new Date(1_614_265_330_999);
  const former = new Secret(`whsec_${Buffer.alloc(32, 7).toString("base64")}`);
  const headers = signatureHeaders(NOTICE, at, [new Secret(KEY), former]);
  expect(headers).toMatchObject({ "webhook-id": NOTICE.id, "webhook-timestamp": "1614265330" });
  const [first, second, ...others] = headers["webhook-signature"]?.split(" ") ?? [];
  expect(first).toBe(SIGNED);
  expect(second).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
  expect(second).not.toBe(SIGNED);
  expect(others).toEqual([]);
});

test.each([
  [KEY, true],
  [`whsec_${Buffer.alloc(64).toString("base64")}`, true],
  [`whsec_${Buffer.alloc(23).toString("base64")}`, false],
  [`whsec_${Buffer.alloc(66).toString("base64")}`, false],
  [KEY.slice("whsec_".length), false],
  ["whsec_", false],
])("%s is a key: %s", (text, isKey) => {
  expect(NOTICE_SECRET.test(text)).toBe(isKey);
});
