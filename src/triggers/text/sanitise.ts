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
  return text
    .toWellFormed()
    .replaceAll("\r\n", "\n")
    .replaceAll(INVISIBLE, "")
    .replaceAll(/(?<=\p{Emoji_Presentation}|\p{Extended_Pictographic})[\uFE00-\uFE0F]+/gu, "\uFE0F")
    .replaceAll(/(?<![\p{Emoji}\p{Extended_Pictographic}])[\uFE00-\uFE0F]+/gu, "");
}

/** A title, or the name of a file or a branch, which may be chosen by anybody: it stays on its line. */
export function oneLine(text: string): string {
  return sanitise(text).replaceAll(/\s+/g, " ").trim().slice(0, NAME_CHARS).toWellFormed();
}
const NAME_CHARS = 1_000;

/**
 * Control characters but tab and newline; soft hyphens; zero-width ones but the joiners that some scripts spell with and
 * emoji are made of; marks and overrides of direction; the tag block; variation selectors of the supplement; fillers that
 * look like nothing.
 */
const INVISIBLE =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- they are what is being taken out
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|[\u{1d173}-\u{1d17a}]|(?<![\p{L}\p{M}\p{Extended_Pictographic}\u200d\ufe0f])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{M}\p{Extended_Pictographic}])/gu;
