import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Issue, Label, LabelChange } from "../../forge/forge.ts";
import { chosenBy, labelContext, offered } from "./choice.ts";
import { chosenByWords } from "./keywords.ts";
import { handsOn } from "./touched.ts";

const label = (name: string, description = ""): Label => ({ name, description });
const LABELS = [
  label("Bug"),
  label("enhancement"),
  label("documentation"),
  label("area: parser", "Reading of expressions"),
  label("wontfix", "This will not be worked on"),
  label("good first issue"),
];
const LIMITS = { max: 5, confidence: 0.6 };
const user = (id: number) => ({ id, login: `user-${id}`, isBot: false });
const BOT = { id: 99 };
const OPENED_AT = "2026-01-01T00:00:00Z";

function issue(title: string, body = ""): Issue {
  return {
    number: 7,
    isPullRequest: false,
    title,
    body,
    author: user(1),
    association: "NONE",
    state: "open",
    isLocked: false,
    labels: [],
    assignees: [],
    url: "https://github.com/octo/greeter/issues/7",
    createdAt: OPENED_AT,
    updatedAt: OPENED_AT,
  };
}

test("of an answer counts what the repository has, the surest first, and no more than is allowed", () => {
  const labels = [
    { name: "documentation", confidence: 0.7 },
    { name: " BUG ", confidence: 0.9 },
    { name: "bug", confidence: 0.8 },
    { name: "enhancement", confidence: 0.59 },
    { name: "made up", confidence: 1 },
  ];
  expect(chosenBy({ labels, reason: "so" }, LABELS, LIMITS)).toEqual({
    names: ["Bug", "documentation"],
    by: "model",
    reason: "so",
  });
  expect(chosenBy({ labels }, LABELS, { max: 1, confidence: 0 })?.names).toEqual(["Bug"]);
  expect(chosenBy({ labels: [] }, LABELS, LIMITS)?.names).toEqual([]);
});

test("whatever a model answers, nothing but labels of the list comes of it", () => {
  const known = new Set(LABELS.map(({ name }) => name));
  const name = fc.oneof(fc.string(), fc.constantFrom("bug", "Bug", "WONTFIX", "__proto__"));
  const answers = fc.oneof(
    fc.record({ labels: fc.array(fc.record({ name, confidence: fc.double() })) }),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(answers, (answer) => {
      const names = chosenBy(answer, LABELS, LIMITS)?.names ?? [];
      expect(names.every((one) => known.has(one))).toBe(true);
      expect(names.length).toBeLessThanOrEqual(5);
    }),
  );
});

test("excluded labels are not offered, and what a model is told is data in lines", () => {
  expect(offered(LABELS, ["bug", "wontfix"]).map(({ name }) => name)).not.toContain("Bug");
  const text = labelContext(issue("A\u200b title", "one <!-- hidden -->\ntwo"), LABELS);
  expect(text).toContain('{"name":"area: parser","description":"Reading of expressions"}');
  expect(text).toContain("Title: A title\n\n> one \n> two");
  expect(text).not.toContain("hidden");
});

const BY_WORDS: [title: string, body: string, names: string[]][] = [
  ["The parser crashes", "", ["Bug", "area: parser"]],
  ["It hurts", "There is an exception, and then it does not work any more", ["Bug"]],
  ["Please add support for tabs", "", ["enhancement"]],
  ["Typo in the README", "", ["documentation"]],
  ["Hello", "An error, once", []],
  ["Won't fix this, wontfix, good first issue", "", []],
  ["Debugging is fun", "", []],
  ["Output", "```\nerror: exception: crash\n```", []],
];

for (const [title, body, names] of BY_WORDS)
  test(`by words: ${title}`, () => {
    expect(chosenByWords(issue(title, body), LABELS, 5).names).toEqual(names);
  });

test("by words only labels that there are, the same ones every time", () => {
  expect(chosenByWords(issue("It crashes"), [label("question")], 5).names).toEqual([]);
  expect(chosenByWords(issue("The docs have a bug"), LABELS, 1).names).toEqual(["Bug"]);
});

const HOUR_LATER = "2026-01-01T01:00:00Z";
const change = (kind: LabelChange["kind"], id: number, at = HOUR_LATER): LabelChange => ({
  kind,
  label: "Bug",
  actor: user(id),
  at,
});

const hands = (...changes: LabelChange[]) => handsOn(changes, issue("x"), BOT);

test("people have had a hand in labels that they put or took away, but not by opening the issue", () => {
  expect(hands().byOthers).toBe(false);
  expect(hands(change("added", 99)).byOthers).toBe(false);
  expect(hands(change("added", 1, "2026-01-01T00:00:02Z")).byOthers).toBe(false);
  expect(hands(change("added", 1)).byOthers).toBe(true);
  expect(hands(change("added", 2, OPENED_AT)).byOthers).toBe(true);
  const removed = hands(change("added", 99), change("removed", 2));
  expect(removed.byOthers).toBe(true);
  expect([...removed.removed]).toEqual(["bug"]);
});
