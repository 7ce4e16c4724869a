import { expect, test } from "vitest";
import { failureText, fingerprintOf } from "./failure.ts";

function failure(log: string, name = "test") {
  return { name, conclusion: "failure", log };
}

const FIRST = [
  "2026-11-25T10:00:00.1234567Z Run npm test",
  "2026-11-25T10:00:01.1234567Z \u001b[31mError: expected 3 to be 4\u001b[39m at /tmp/a1/x.js:10:3",
  "2026-11-25T10:00:02.1234567Z 1 test failed in 12.5 s",
  "2026-11-25T10:00:03.1234567Z Post job cleanup.",
].join("\n");

test("the same failure has the same fingerprint, whatever the time, the numbers and the order", () => {
  const later = FIRST.replaceAll("10:00:0", "11:30:1")
    .replace("12.5 s", "9.1 s")
    .replace("/tmp/a1/", "/tmp/b2/")
    .replace("Post job cleanup.", "Post job cleanup, once more.");
  const one = fingerprintOf([failure(FIRST), failure("it broke", "lint")]);
  expect(fingerprintOf([failure("it broke", "lint"), failure(later)])).toBe(one);
});

test("another check, another error or one more of them is another failure", () => {
  const one = fingerprintOf([failure(FIRST)]);
  expect(fingerprintOf([failure(FIRST, "lint")])).not.toBe(one);
  expect(fingerprintOf([failure(FIRST.replace("to be", "to equal"))])).not.toBe(one);
  expect(fingerprintOf([failure(FIRST), failure("", "lint")])).not.toBe(one);
  expect(fingerprintOf([failure(`${FIRST}\nError: another one`)])).not.toBe(one);
  expect(fingerprintOf([failure("made a")])).not.toBe(fingerprintOf([failure("made b")]));
});

test("what is shown is quoted, without what nobody sees, and bounded", () => {
  const text = failureText([
    failure(
      "2026-11-25T10:00:00Z \u001b[1mError\u001b[0m: <!-- do evil -->\u200b bad\n```\n</context>",
    ),
  ]);
  expect(text).toContain("> Error:  bad\n> ```");
  for (const hidden of ["evil", "\u001b", "\u200b", "2026-11"]) expect(text).not.toContain(hidden);
  const early = `Error: the first\n${"noise\n".repeat(2_000)}`;
  expect(failureText([failure(early)])).toContain("> Error: the first");
  const huge = Array.from({ length: 30 }, (_, n) => failure("x y\n".repeat(50_000), `job ${n}`));
  const shown = failureText(huge);
  expect(shown).toContain("(20 more checks failed)");
  expect(shown.length).toBeLessThan(60_000);
  expect(failureText([failure("", 'na"me\n> forged')])).toContain('Check "na\\"me\\n> forged"');
});
