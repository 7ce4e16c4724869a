import type { Issue, Label } from "../../forge/forge.ts";
import type { Choice } from "./choice.ts";

/** What people write who mean these things; by the usual names of the labels for them. */
const SYNONYMS: readonly { names: readonly string[]; words: readonly string[] }[] = [
  {
    names: ["bug", "defect", "regression", "crash"],
    words: [
      "bug",
      "bugs",
      "buggy",
      "crash",
      "crashes",
      "crashed",
      "broken",
      "exception",
      "stack trace",
      "traceback",
      "error",
      "errors",
      "fails",
      "failed",
      "failure",
      "regression",
      "freezes",
      "hangs",
      "segfault",
      "panic",
      "does not work",
      "doesn't work",
      "not working",
      "stopped working",
      "unexpected",
      "wrong",
    ],
  },
  {
    names: [
      "enhancement",
      "feature",
      "feature request",
      "feature-request",
      "improvement",
      "proposal",
    ],
    words: [
      "feature",
      "feature request",
      "enhancement",
      "proposal",
      "please add",
      "would be nice",
      "would be great",
      "it would be",
      "add support",
      "support for",
      "allow",
      "option to",
      "ability to",
      "improve",
      "improvement",
    ],
  },
  {
    names: ["documentation", "docs", "doc"],
    words: [
      "documentation",
      "docs",
      "readme",
      "typo",
      "typos",
      "tutorial",
      "changelog",
      "spelling",
    ],
  },
  {
    names: ["question", "support", "help"],
    words: [
      "question",
      "how do i",
      "how can i",
      "how to",
      "is it possible",
      "is there a way",
      "what is the",
    ],
  },
  {
    names: ["performance", "perf", "speed"],
    words: [
      "performance",
      "slow",
      "slowly",
      "latency",
      "memory leak",
      "out of memory",
      "cpu usage",
      "too long",
    ],
  },
  {
    names: ["security", "vulnerability"],
    words: [
      "security",
      "vulnerability",
      "vulnerable",
      "cve",
      "xss",
      "csrf",
      "sql injection",
      "exploit",
    ],
  },
  {
    names: ["test", "tests", "testing", "flaky"],
    words: ["test", "tests", "flaky", "coverage", "test suite"],
  },
  {
    names: ["ci", "build", "ci/cd", "release"],
    words: [
      "ci",
      "build fails",
      "build",
      "pipeline",
      "workflow",
      "github actions",
      "compile",
      "release",
    ],
  },
  {
    names: ["dependencies", "dependency", "deps"],
    words: ["dependency", "dependencies", "upgrade to", "bump", "outdated"],
  },
  {
    names: ["accessibility", "a11y"],
    words: ["accessibility", "a11y", "screen reader", "keyboard navigation", "contrast"],
  },
  {
    names: ["ui", "ux", "design"],
    words: ["ui", "ux", "button", "layout", "css", "design", "dark mode"],
  },
];

/** What only people decide, however often an issue says such words. */
const NEVER =
  /^(wont ?fix|won't fix|invalid|duplicate|stale|blocked|on hold|good first issue|help wanted|needs? .*|in progress|ready|confirmed|approved|p\d|priority.*|severity.*|status.*|critical|urgent|high|medium|low)$/;

const TITLE_SCORE = 2;
/** One word in a title, or two in a text. */
const ENOUGH = 2;
const MOST = 3;
const TEXT_CHARS = 20_000;
/** Shorter words of a description say little. */
const TELLING_CHARS = 6;
const TELLING = 0.5;

/** Labels by the words of an issue, the same ones every time: what is left when no model answers. */
export function chosenByWords(
  issue: Pick<Issue, "title" | "body">,
  labels: readonly Label[],
  max: number,
): Choice {
  const title = plain(issue.title);
  const body = plain(issue.body.slice(0, TEXT_CHARS).replaceAll(/```[\s\S]*?(?:```|$)/g, " "));
  const scored = labels
    .map((label) => ({ name: label.name, score: scoreOf(label, title, body) }))
    .filter(({ score }) => score >= ENOUGH)
    .toSorted((one, other) => other.score - one.score || (one.name < other.name ? -1 : 1));
  return {
    names: scored.slice(0, Math.min(max, MOST)).map(({ name }) => name),
    by: "keywords",
    reason: "by the words of the issue, since no model has answered",
  };
}

function scoreOf({ name, description }: Label, title: string, body: string): number {
  const whole = plain(name).trim();
  // "type: bug" and "kind/bug" are called bug.
  const last = plain(name.split(/[:/]/).at(-1) ?? "").trim();
  if (last.length < 2 || NEVER.test(whole) || NEVER.test(last)) return 0;
  const group = SYNONYMS.find(({ names }) => names.includes(last) || names.includes(whole));
  const words = new Set([last, last.replaceAll("-", " "), ...(group?.words ?? [])]);
  let score = 0;
  for (const word of words) {
    if (says(title, word)) score += TITLE_SCORE;
    if (says(body, word)) score += 1;
  }
  const told = plain(description).split(/[^\p{L}\p{N}]+/u);
  for (const word of new Set(told.filter(({ length }) => length >= TELLING_CHARS)))
    if (!words.has(word) && says(title, word)) score += TELLING;
  return score;
}

/** Lower case, between blanks, so that a word can be looked for as a whole one. */
function plain(text: string): string {
  return ` ${text
    .toLowerCase()
    .replaceAll("’", "'")
    .replaceAll(/[^\p{L}\p{N}'/-]+/gu, " ")} `;
}

function says(text: string, word: string): boolean {
  return text.includes(` ${word} `);
}
