/** Where in a text something stands: from its first letter to before its last one. */
export interface Part {
  from: number;
  to: number;
}

/**
 * The parser of Markdown takes a time that grows with the square of a text, and with its cube where somebody has made the text
 * for that; meanwhile nothing else is done. No part is longer, and there are no more of them.
 */
const PART_CHARS = 4_000;
const PARTS = 4;

const FENCE = /^ {0,3}(?:(?:[>*+-]|\d{1,9}[.)])[ \t]*)*(`{3,}(?!.*`)|~{3,})/;
/** HTML that goes on over empty lines. */
const RAW = [
  { begin: /^ {0,3}<!--/, end: /-->/ },
  {
    begin: /^ {0,3}<(?:pre|script|style|textarea)(?=[\s>]|$)/i,
    end: /<\/(?:pre|script|style|textarea)>/i,
  },
];

/**
 * What of a text has to be read to know whether a name in it is spoken. Of a short one that is all. Of a long one it is what
 * is around the name, from where something new begins: code, and HTML that hides it, is left out.
 */
export function partsAround(text: string, name: RegExp): Part[] {
  if (text.length <= PART_CHARS) return [{ from: 0, to: text.length }];
  const starts = startsIn(text);
  const parts: Part[] = [];
  let next = 0;
  for (const { index } of text.matchAll(new RegExp(name, "giu"))) {
    if (index < (parts.at(-1)?.to ?? 0)) continue;
    while (next < starts.length && (starts[next]?.at ?? 0) <= index) next += 1;
    // The line that it stands in.
    if (starts[next - 1]?.kind === "hidden") continue;
    const near = starts.slice(0, next).filter(({ at }) => at >= index - PART_CHARS / 2);
    const from = near.find(({ kind }) => kind === "block") ?? near[0];
    // In so long a line nobody speaks.
    if (from === undefined) continue;
    parts.push({ from: from.at, to: Math.min(text.length, index + PART_CHARS / 2) });
    if (parts.length === PARTS) break;
  }
  return parts;
}

/** Begins of lines: where a block may begin, or goes on, or where all is code or HTML. */
type Start = { at: number; kind: "block" | "line" | "hidden" };

function startsIn(text: string): Start[] {
  const starts: Start[] = [];
  let at = 0;
  let isAfterEmpty = true;
  let until: ((line: string) => boolean) | null = null;
  for (const line of text.split("\n")) {
    if (until === null) {
      starts.push({ at, kind: isAfterEmpty ? "block" : "line" });
      until = untilOf(line);
    } else {
      starts.push({ at, kind: "hidden" });
      if (until(line)) until = null;
    }
    isAfterEmpty = line.trim() === "";
    at += line.length + 1;
  }
  return starts;
}

/** What ends the code, or the HTML, that begins with this line; null: none begins. */
function untilOf(line: string): ((line: string) => boolean) | null {
  const raw = RAW.find(({ begin }) => begin.test(line));
  if (raw !== undefined) return raw.end.test(line) ? null : (one) => raw.end.test(one);
  const [opening, fence] = FENCE.exec(line) ?? [];
  if (opening === undefined || fence === undefined) return null;
  const isQuoted = opening.includes(">");
  return (one) => {
    // A quotation ends what was begun in it.
    if (isQuoted && !one.trimStart().startsWith(">")) return true;
    const bare = one.replace(/^[\s>]*/, "").trimEnd();
    return bare.length >= fence.length && bare === fence.charAt(0).repeat(bare.length);
  };
}
