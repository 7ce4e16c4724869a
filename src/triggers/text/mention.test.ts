import { expect, test } from "vitest";
import { mentionOf } from "./mention.ts";
import { partsAround } from "./parts.ts";

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

test.each([
  "[@our-bot fix][it]\n\n[it]: https://example.com/",
  "<code>@our-bot fix</code>",
  "<blockquote>\n\n@our-bot fix\n\n</blockquote>",
  "<kbd class='a'>x <b>@our-bot fix</b></kbd>",
  "my_@our-bot fix",
  "@our-bot_2 fix",
])("%s speaks to nobody", (text) => {
  expect(mentionOf(text, "our-bot")).toBeNull();
});

test.each([
  ["**@our-bot** stop", "stop"],
  ["**@our-bot stop**", "stop"],
  ["__@our-bot__ please review", "review"],
  ["_@our-bot_ look", "work"],
  ["~~@our-bot~~ **plan** it", "plan"],
  ["<b>x</b> `<code>` <!-- <code> --> @our-bot status", "status"],
])("%s is the command %s, whatever the emphasis", (text, command) => {
  expect(mentionOf(text, "our-bot")).toMatchObject({ command });
});

const FILLER = `Some words, and a_b *c* of them.\n\n`.repeat(600);

test.each([
  ["", "fix"],
  ["> ", null],
  ["```\n\n", null],
  ["~~~~ js\n```\n\n~~~\n", null],
  ["~~~~ js\n```\n\n~~~~\n", "fix"],
  ["> ```\n\n", "fix"],
  ["<!-- hidden\n\n", null],
  ["<!-- hidden\n\n -->\n", "fix"],
  ["<pre>\n\n", null],
  ["    ", null],
  ["- one\n- two `\n- ", "fix"],
])("in a long text, behind %j, the command is %s", (before, command) => {
  const text = `${FILLER}\`@our-bot plan\`\n\n${before}@our-bot fix the roof\n\n${FILLER}`;
  const { command: heard, instruction = "the roof\n" } = mentionOf(text, "our-bot") ?? {};
  expect(heard ?? null).toBe(command);
  expect(instruction).toMatch(/^the roof\n/);
});

test("of a text that is made to be slow to read, little is given to the parser", () => {
  const words = ["_a* ", "[a](", "a]", "- a\n", "www._", "- [ ] a\n", "@our-bot_a* `", "> a\n\n"];
  for (const word of words) {
    const slow = word.repeat(65_000 / word.length);
    for (const text of [`@our-bot2\n\n${slow}`, `${slow}\n\n@our-bot2`]) {
      const chars = partsAround(text, /@our-bot/iu).map(({ from, to }) => to - from);
      expect(chars.length).toBeLessThanOrEqual(4);
      expect(Math.max(...chars)).toBeLessThanOrEqual(4_000);
      // Minutes, where all of it is parsed.
      expect(mentionOf(text, "our-bot")).toBeNull();
    }
  }
});
