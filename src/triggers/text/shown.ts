/**
 * Of Markdown what its readers see: without alternative texts of pictures, titles, definitions, and attributes of HTML. Each
 * kind is looked for by itself, as if the others were not there, and where only a whole parser could say whether a text is
 * hidden, it is taken for hidden. All of it takes a time in proportion to the text: a scan ends where the next one of its
 * kind begins, or after a number of letters that has a bound.
 * Source: https://github.github.com/gfm/
 */
export function shownOf(text: string): string {
  const hidden: Range[] = [];
  const labels = findDefinitions(text, hidden);
  findAttributes(text, hidden);
  let from = 0;
  // Nothing that stands in a line goes on behind an empty one.
  for (const { index } of text.matchAll(/\n[ \t]*(?=\n)|$/g)) {
    findInBlock(text.slice(from, index), from, { labels, hidden });
    from = index;
  }
  return without(text, hidden);
}

/** From the first letter to before the last one. */
type Range = readonly [from: number, to: number];

function without(text: string, hidden: Range[]): string {
  let rest = "";
  let at = 0;
  for (const [from, to] of hidden.toSorted(([one], [other]) => one - other)) {
    if (from > at) rest += text.slice(at, from);
    at = Math.max(at, to);
  }
  return rest + text.slice(at);
}

const SPACE = /[ \t]*(?:\n[ \t>]*)?/y;
const LABEL = /\[((?:\\[^\n]|[^[\]\\]){1,1000})\]/y;
const TITLE = /"(?:\\[^]|[^"\\])*"|'(?:\\[^]|[^'\\])*'|\((?:\\[^]|[^()\\])*\)/y;
const ANGLED = /<(?:\\[^\n]|[^<>\\\n])*>/y;
const LABEL_CHARS = 1_000;
/** GitHub's own bound is 32. */
const DEEPEST = 40;

/** Where the pattern ends that begins here, or null. */
function endOf(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}

function afterSpace(text: string, at: number): number {
  return endOf(SPACE, text, at) ?? at;
}

/** Where an address ends that begins here, or null. */
function endOfAddress(text: string, from: number): number | null {
  if (text[from] === "<") return endOf(ANGLED, text, from);
  let depth = 0;
  for (let at = from; ; at += 1) {
    const letter = text[at] ?? " ";
    if (letter === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) at += 1;
    else if (letter === "(" && (depth += 1) > DEEPEST) return null;
    // A control character has been taken out before, tab and newline aside.
    else if (letter <= " " || (letter === ")" && (depth -= 1) < 0)) return at;
  }
}

/** What stands in parentheses behind a text or a picture: where it ends, and its title; null: it is none. */
function tailAt(text: string, at: number): { end: number; title: Range } | null {
  if (text[at] !== "(") return null;
  const from = afterSpace(text, at + 1);
  const to = endOfAddress(text, from);
  if (to === null) return null;
  const next = afterSpace(text, to);
  const titleEnd = next > to || to === from ? endOf(TITLE, text, next) : null;
  const end = titleEnd === null ? next : afterSpace(text, titleEnd);
  return text[end] === ")" ? { end: end + 1, title: [to, end] } : null;
}

const PIECE = /\\[!-/:-@[-`{-~]|!?\[|[^\\![\]`<]+|[^]/y;
/** Such a one is a link by itself, with the brackets that are in it. */
const ADDRESS = /:\/\/|www\./i;

/** Alternative texts and titles of one block, which begins at `offset`. */
function findInBlock(
  text: string,
  offset: number,
  { labels, hidden }: { labels: ReadonlySet<string>; hidden: Range[] },
): void {
  const hide = (from: number, to: number) => hidden.push([offset + from, offset + to]);
  const open: { at: number; isPicture: boolean }[] = [];
  /** Where pictures begin of which nobody knows whether, and where, they end. */
  const doubted: number[] = [];
  /** Brackets behind it may be in code, in HTML or in an address, and then belong to nothing. */
  let doubtAt = -1;
  for (let at = 0, end; at < text.length; at = end) {
    end = endOf(PIECE, text, at) ?? at + 1;
    const piece = text.slice(at, end);
    if (piece === "`" || piece === "<" || ADDRESS.test(piece)) doubtAt = at;
    if (piece === "[" || piece === "![") open.push({ at, isPicture: piece === "![" });
    if (piece !== "]") continue;
    const tail = tailAt(text, end);
    if (tail !== null) hide(...tail.title);
    const opener = open.pop();
    if (opener?.isPicture === true) {
      const isEnd = tail !== null || isReferred(text, opener.at, at, labels);
      if (doubtAt > opener.at) doubted.push(opener.at);
      else if (isEnd) hide(opener.at + 2, at);
    }
    if (tail === null) continue;
    if (/[[\]]/.test(text.slice(end, tail.end))) doubtAt = at;
    else end = tail.end;
  }
  for (const { at, isPicture } of open) if (isPicture && doubtAt > at) doubted.push(at);
  const first = Math.min(...doubted);
  const last = Math.max(text.lastIndexOf("]("), text.lastIndexOf("]["));
  if (first < last) hide(first + 2, last);
}

/** Whether a picture has its address from a definition. */
function isReferred(text: string, from: number, to: number, labels: ReadonlySet<string>): boolean {
  if (labels.size === 0) return false;
  const end = endOf(LABEL, text, to + 1);
  if (end !== null && labels.has(labelOf(text.slice(to + 2, end - 1)))) return true;
  return to - from <= LABEL_CHARS && labels.has(labelOf(text.slice(from + 2, to)));
}

function labelOf(text: string): string {
  return text
    .replaceAll(/[\s>]+/g, " ")
    .trim()
    .toLowerCase();
}

const BEFORE_DEFINITION = /(?:[^\S\n]*(?:>|[-*+]|\d+[.)]))*[^\S\n]*(?=\[)/y;

/** Labels of what is defined. */
function findDefinitions(text: string, hidden: Range[]): ReadonlySet<string> {
  const labels = new Set<string>();
  for (let at = 0; at < text.length;) {
    const from = endOf(BEFORE_DEFINITION, text, at);
    const to = from === null ? null : endOf(LABEL, text, from);
    at = endOfLine(text, at) + 1;
    if (from === null || to === null || text[to] !== ":") continue;
    labels.add(labelOf(text.slice(from + 1, to - 1)));
    const end = Math.max(endOfDefinition(text, to + 1), endOfLine(text, to));
    hidden.push([from, end]);
    at = Math.max(at, end + 1);
  }
  return labels;
}

/** At least the address; a title too, if nothing stands behind it. */
function endOfDefinition(text: string, at: number): number {
  const from = afterSpace(text, at);
  const to = endOfAddress(text, from) ?? from;
  const title = afterSpace(text, to);
  const titleEnd = title > to ? endOf(TITLE, text, title) : null;
  if (titleEnd === null) return to;
  const end = endOfLine(text, titleEnd);
  return text.slice(titleEnd, end).trim() === "" ? end : to;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

const DECLARATION = /<!\[CDATA\[[^]*?(?:\]\]>|$)|<![a-z][^>]*(?:>|$)/gi;
const TAG = /<[a-z][a-z0-9-]*(?=[\s/])/gi;
const ATTRIBUTES = /[^<>=]*(?:=\s*(?:"[^"]*"|'[^']*'|(?=[^"']|$))[^<>=]*)*/y;
/** How often letters may be looked at again; only a text that is made for it comes so far, and is cut there. */
const AGAIN = 10;

/** What stands in tags behind their names. */
function findAttributes(text: string, hidden: Range[]): void {
  for (const { index, 0: all } of text.matchAll(DECLARATION))
    hidden.push([index, index + all.length]);
  let again = text.length * AGAIN;
  let at = 0;
  for (const { index, 0: begin } of text.matchAll(TAG)) {
    if (index < at) continue;
    const from = index + begin.length;
    at = endOf(ATTRIBUTES, text, from) ?? from;
    if (text[at] === ">") hidden.push([from, at]);
    else if ((again -= at - from) < 0) {
      hidden.push([from, text.length]);
      return;
    } else at = from;
  }
}
