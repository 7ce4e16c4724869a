/** Joins nothing to nothing, and makes of a name no mention. */
const JOINER = "\u2060";

/**
 * Text of a model or a log, made harmless where it is shown: nobody is called by it, nothing referred to or closed, nothing
 * fetched, and none of the hub's own marks forged. Code stays what it is.
 */
export function neutralise(text: string, maxChars: number): string {
  const safe = text
    .toWellFormed()
    .replaceAll(/<!--|-->/g, "")
    // GitHub looks for names in what Markdown has made of it, where an entity is a letter.
    .replaceAll(/&(?=#|[a-z])/gi, `&${JOINER}`)
    .replaceAll(/<(?=[a-z/!?])/gi, "&lt;")
    .replaceAll(/!+\[/g, "[")
    .replaceAll(/@(?=[\w-])/g, `@${JOINER}`)
    .replaceAll(/#(?=\d)/g, `#${JOINER}`)
    .replaceAll(/\b(clos|fix|resolv)(?=(?:e|es|ed|ing)?\s*:?\s*[<([]*https?:)/gi, `$1${JOINER}`)
    .replaceAll(/\b(GH)-(?=\d)/gi, `$1${JOINER}-`)
    .replaceAll(/^(\s*)\/(?=[a-z])/gim, `$1${JOINER}/`)
    .replaceAll(/^(\s*(?:[-*+]|\d+[.)])\s+)(?:\[[ xX]\]\s*)+/gm, "$1");
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
