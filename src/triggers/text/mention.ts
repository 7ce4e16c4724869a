import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { SKIP, visit } from "unist-util-visit";
import { commandOf } from "./command.ts";
import type { Command } from "./command.ts";
import { partsAround } from "./parts.ts";

export interface Mention {
  command: Command;
  /** What follows the command; for `work`, the author's whole text. */
  instruction: string;
  /** The author's whole text. */
  whole: string;
}

/** Longer texts are looked at as far as this. GitHub's limit is 65,536. */
const MAX_CHARS = 65_536;
/** Emphasis does not say who is spoken to, and takes the parser the longest. */
const PLAIN = { disable: { null: ["attention"] } };
const UNSPOKEN_TAG = /<(\/?)(?:a|blockquote|code|kbd|pre|samp|tt)(?=[\s>])[^>]*>/gi;
/** Deeper nesting than people write, which would cost the parser its stack. */
const MAX_NESTING = 200;
/** Without what looks for more links in the finished tree: the texts around them would not be known to stand anywhere. */
const GFM = gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }));

/**
 * Whether an author speaks to the bot: by its name in plain text of their own, and not in code, quotations, HTML, links'
 * targets, or as a part of another name.
 *
 * @param login The bot's, with or without `[bot]`.
 */
export function mentionOf(markdown: string, login: string): Mention | null {
  const text = markdown.slice(0, MAX_CHARS);
  const name = `@${login.replace(/\[bot\]$/, "").replaceAll(/[^\w-]/g, "\\$&")}`;
  const called = new RegExp(name, "iu");
  // Most texts are told apart without a parser.
  if (!called.test(text)) return null;
  const spoken = new RegExp(
    `(?<![^\\W_]_*|[@/.\`-])${name}(?:\\[bot\\])?(?!_*[^\\W_]|[/-]|\\.\\w|@)`,
    "iu",
  );
  for (const { from, to } of partsAround(text, called)) {
    const after = spokenIn(text.slice(from, to), spoken);
    if (after !== null) return read(text, { after: from + after });
  }
  return null;
}

/** Where the name ends by which somebody is spoken to. */
function spokenIn(text: string, name: RegExp): number | null {
  if (isTooDeep(text)) return null;
  const tree = fromMarkdown(text, { extensions: [gfm(), PLAIN], mdastExtensions: [GFM] });
  let found: number | null = null;
  let hidden = 0;
  visit(tree, (node: Nodes) => {
    if (found !== null) return SKIP;
    if (node.type === "html") hidden = hiddenAfter(node.value, hidden);
    if (NOT_SPOKEN.has(node.type)) return SKIP;
    if (node.type !== "text" || hidden > 0) return undefined;
    const start = node.position?.start.offset ?? 0;
    const end = node.position?.end.offset ?? start;
    // In the source, where an escaped \@ is still seen as such.
    const match = name.exec(` ${text.slice(start, end)}`);
    if (match === null || text[start + match.index - 2] === "\\") return undefined;
    found = start + match.index - 1 + match[0].length;
    return SKIP;
  });
  return found;
}

/** In how many tags a text stands in which nobody is spoken to. */
function hiddenAfter(html: string, before: number): number {
  let depth = before;
  for (const [, end] of html.replaceAll(/<!--[^]*?(?:-->|$)/g, "").matchAll(UNSPOKEN_TAG))
    depth = Math.max(0, depth + (end === "" ? 1 : -1));
  return depth;
}

/** Whether an edit has made a mention of a text that had none. */
export function newlyMentioned(before: string, after: string, login: string): Mention | null {
  return mentionOf(before, login) === null ? mentionOf(after, login) : null;
}

const NOT_SPOKEN = new Set([
  "code",
  "inlineCode",
  "blockquote",
  "html",
  "link",
  "linkReference",
  "image",
  "imageReference",
  "definition",
  "footnoteDefinition",
]);

function read(text: string, { after }: { after: number }): Mention {
  const rest = text.slice(after);
  const { command, length } = commandOf(rest);
  const whole = text.trim();
  if (command === "work") return { command, instruction: whole, whole };
  return { command, instruction: rest.slice(length).trim(), whole };
}

/** Quotations and lists in each other; everything else in Markdown is flat or counted by its own length. */
function isTooDeep(text: string): boolean {
  return (
    text
      .split("\n")
      .some(
        (line) =>
          (/^[\s>*+\-\d.)]*/.exec(line)?.[0].match(/[>*+\-.)]/g)?.length ?? 0) > MAX_NESTING,
      ) || /[[(*_~!]{1000}/.test(text)
  );
}
