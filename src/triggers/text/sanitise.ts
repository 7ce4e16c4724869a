import { visibleOnly } from "../../core/visible.ts";
import { shownOf } from "./shown.ts";

/** Longer texts are cut. */
const MAX_CHARS = 30_000;

/**
 * A text as a model is shown it: what no reader of the page sees is taken out. HTML comments, invisible and formatting
 * characters, letters of the tag block, alternative texts of pictures, titles of links, definitions, attributes of HTML.
 */
export function sanitise(text: string): string {
  return shownOf(verbatim(text));
}

/** The same of what the page shows as it is written, like a difference or a log: there brackets hide nothing. */
export function verbatim(text: string): string {
  return visible(bounded(text).replaceAll(/<!--[\s\S]*?(?:-->|$)/g, ""));
}

/** A text without the characters that nobody sees. */
export function visible(text: string): string {
  return visibleOnly(text.toWellFormed().replaceAll("\r\n", "\n"));
}

/** A title, or the name of a file or a branch, which may be chosen by anybody: it stays on its line. */
export function oneLine(text: string): string {
  return sanitise(text).replaceAll(/\s+/g, " ").trim().slice(0, NAME_CHARS).toWellFormed();
}
const NAME_CHARS = 1_000;

/** In which nothing can pass for a line of the hub's own, such as the one that says who speaks. */
export function quoted(text: string): string {
  return text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
}

function bounded(text: string): string {
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}\n[… cut …]` : text;
}
