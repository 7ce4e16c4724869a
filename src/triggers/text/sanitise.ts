import { visibleOnly } from "../../core/visible.ts";

/** Longer texts are cut. */
const MAX_CHARS = 30_000;

/**
 * A text as a model is shown it: what no reader of the page sees is taken out. HTML comments, invisible and formatting
 * characters, letters of the tag block, alternative texts of pictures, titles of links, attributes of HTML.
 */
export function sanitise(text: string): string {
  const bounded = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}\n[… cut …]` : text;
  const written = bounded.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, "");
  return visible(written)
    .replaceAll(/!\[[^\]\n]{0,1000}\]\(([^)\s]{0,2000})(?:\s[^)\n]{0,1000})?\)/g, "![]($1)")
    .replaceAll(
      /(\[[^\]\n]{0,1000}\]\([^)\s\n]{0,2000})\s+(?:"[^"\n]{0,1000}"|'[^'\n]{0,1000}')\)/g,
      "$1)",
    )
    .replaceAll(/^ {0,3}\[(?:\/\/|[^\]\n]{1,200})\]:[^\n]*$/gm, "")
    .replaceAll(/<([a-z][a-z0-9-]{0,30})\s[^<>]{0,5000}>/gi, "<$1>");
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
