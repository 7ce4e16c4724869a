import { expect, test } from "vitest";
import { mentionOf } from "./mention.ts";

test.each(["our-bot", "our-bot[bot]", "Bot", "a-b-c1"])(
  "%s is heard by its name alone",
  (login) => {
    const name = login.replace("[bot]", "");
    expect(mentionOf(`Hi @${name}, please fix it`, login)).not.toBeNull();
    expect(mentionOf(`Hi @${name.toUpperCase()}[bot] plan`, login)).toMatchObject({
      command: "plan",
    });
    expect(mentionOf(`Hi @${name}-2, please fix it`, login)).toBeNull();
    expect(mentionOf(`Hi @x-${name}, please fix it`, login)).toBeNull();
    expect(mentionOf(`\`@${name} fix\``, login)).toBeNull();
  },
);

test("addresses in the same paragraph hide nobody's name", () => {
  const steps = `{"run":"curl -s http://one.example.com/"},{"run":"curl -s http://two.example.com/"}`;
  expect(mentionOf(`@our-bot look\n${steps}`, "our-bot")).toMatchObject({ command: "work" });
  expect(mentionOf(`See "http://a.example/@our-bot" and x@our-bot.example`, "our-bot")).toBeNull();
});

test.each([
  ["approve", "approve", ""],
  ["approve, please.", "work", null],
  ["approve this pull request", "work", null],
  ["please approve 0a1b2c3d, it is ours", "approve", "0a1b2c3d, it is ours"],
  ["approve 0a1b2c3de", "work", null],
  ["deny", "deny", ""],
  ["deny 0a1b2c3d not today", "deny", "0a1b2c3d not today"],
])("%s is the command %s", (words, command, instruction) => {
  const text = `@our-bot ${words}`;
  expect(mentionOf(text, "our-bot")).toMatchObject({
    command,
    instruction: instruction ?? text,
    whole: text,
  });
});

test("addresses behind an open bracket hide no mention before them, and are none", () => {
  for (const address of ["https://example.com/a", "www.example.com", "ada@example.com"]) {
    expect(mentionOf(`@our-bot fix a[0 as told by ${address}`, "our-bot")).toMatchObject({
      command: "fix",
      instruction: `a[0 as told by ${address}`,
    });
    expect(mentionOf(`see a[0 at ${address}/@our-bot`, "our-bot")).toBeNull();
  }
  expect(mentionOf("see a[0 of x@our-bot.example", "our-bot")).toBeNull();
});
