import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { SKIP, visit } from "unist-util-visit";
import { commandOf } from "./command.ts";
import type { Command } from "./command.ts";

export interface Mention {
  command: Command;
  /** What follows the command; for `work`, the author's whole text. */
  instruction: string;
  /** The author's whole text. */
  whole: string;
}

/** Longer texts are looked at as far as this. GitHub's limit is 65,536. */
const MAX_CHARS = 65_536;
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
  const name = login.replace(/\[bot\]$/, "");
  // Most texts are told apart without a parser.
  if (!text.toLowerCase().includes(`@${name.toLowerCase()}`) || isTooDeep(text)) return null;
  const pattern = new RegExp(
    `(?<![\\w@/.\`-])@${name.replaceAll(/[^\w-]/g, "\\$&")}(?:\\[bot\\])?(?![\\w/-]|\\.\\w|@)`,
    "iu",
  );
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [GFM] });
  let found: { after: number } | null = null;
  visit(tree, (node: Nodes) => {
    if (found !== null || NOT_SPOKEN.has(node.type)) return SKIP;
    if (node.type !== "text") return undefined;
    const start = node.position?.start.offset ?? 0;
    const end = node.position?.end.offset ?? start;
    // In the source, where an escaped \@ is still seen as such.
    const match = pattern.exec(` ${text.slice(start, end)}`);
    if (match === null || text[start + match.index - 2] === "\\") return undefined;
    found = { after: start + match.index - 1 + match[0].length };
    return SKIP;
  });
  return found === null ? null : read(text, found);
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
  "image",
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
