import { visible } from "../text/sanitise.ts";

/** Joins nothing to nothing, and makes of a name no mention. */
const JOINER = "\u2060";

/**
 * Text of a model or a log, made harmless where it is shown: nobody is called by it, nothing referred to or closed, nothing
 * fetched, none of the hub's own marks forged, and nothing said to other models that people do not see.
 * Its patterns take a time in proportion to the text, whatever it is: a space that can be matched in two ways, or from each
 * of its letters on, is a way to stop the hub.
 */
export function neutralise(text: string, maxChars: number): string {
  const safe = visible(text)
    .replaceAll(/<!--|-->/g, "")
    // GitHub looks for names in what Markdown has made of it, where an entity is a letter.
    .replaceAll(/&(?=#|[a-z])/gi, `&${JOINER}`)
    .replaceAll(/<(?=[a-z/!?])/gi, "&lt;")
    .replaceAll(/(?<!!)!+\[/g, "[")
    // A definition is not shown; it is also where a link may have its address from.
    .replaceAll(
      /^((?:[^\S\n]*(?:>|[-*+]|\d+[.)]))*[^\S\n]*\[(?:\\[^\n]|[^\]\\]){1,1000}\]):/gm,
      `$1${JOINER}:`,
    )
    .replaceAll(/@(?=[\w-])/g, `@${JOINER}`)
    .replaceAll(/#(?=\d)/g, `#${JOINER}`)
    .replaceAll(/\b(clos|fix|resolv)(?=(?:e|es|ed|ing)?(?:\s*:)?\s*[<([]*https?:)/gi, `$1${JOINER}`)
    .replaceAll(/\b(GH)-(?=\d)/gi, `$1${JOINER}-`)
    .replaceAll(/^([^\S\n]*)\/(?=[a-z])/gim, `$1${JOINER}/`)
    .replaceAll(/^((?:[^\S\n]*(?:>|[-*+]|\d+[.)]))+\s+)(?:\[[ xX]\]\s*)+/gm, "$1");
  return cut(safe, maxChars);
}

export function cut(text: string, maxChars: number): string {
  return text.length <= maxChars
    ? text
    : `${text.slice(0, Math.max(0, maxChars - 1)).toWellFormed()}…`;
}

/** A fence that nothing in the text can close. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
