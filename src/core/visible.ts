/** A text without what nobody sees who reads it: invisible and formatting characters, letters of the tag block. */
export function visibleOnly(text: string): string {
  return text
    .replaceAll(INVISIBLE, "")
    .replaceAll(/(?<=\p{Emoji_Presentation}|\p{Extended_Pictographic})[\uFE00-\uFE0F]+/gu, "\uFE0F")
    .replaceAll(/(?<![\p{Emoji}\p{Extended_Pictographic}])[\uFE00-\uFE0F]+/gu, "");
}

/**
 * Control characters but tab and newline; soft hyphens; zero-width ones but the joiners that some scripts spell with and
 * emoji are made of; marks and overrides of direction; the tag block; variation selectors of the supplement; fillers that
 * look like nothing.
 */
const INVISIBLE =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- they are what is being taken out
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|[\u{1d173}-\u{1d17a}]|(?<![\p{L}\p{M}\p{Extended_Pictographic}\u200d\ufe0f])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{M}\p{Extended_Pictographic}])/gu;
