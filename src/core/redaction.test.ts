import { expect, test } from "vitest";
import { createRedaction } from "./redaction.ts";

const letters = (count: number) => "aB3".repeat(count).slice(0, count);

test("secrets of shapes that issuers document are made unreadable", () => {
  const { text } = createRedaction([]);
  const secrets = [
    `ghs_${letters(40)}`,
    `npm_${letters(36)}`,
    `chub_${letters(43)}`,
    `xoxb-${letters(24)}`,
    `AKIA${"A1".repeat(8)}`,
    `sk-ant-${letters(30)}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${letters(60)}\n-----END RSA PRIVATE KEY-----`,
  ];
  for (const secret of secrets) expect(text(`it is ${secret}, hm`)).toBe("it is ***, hm");
  const usual = "AKIA is a prefix, npm_config_x a variable, xoxo a greeting";
  expect(text(usual)).toBe(usual);
});
