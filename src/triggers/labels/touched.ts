import type { LabelChange } from "../../forge/forge.ts";

/** Labels that a template, or the form of an issue, gives it come at once. */
const AT_OPENING_MS = 10_000;

export interface Hands {
  /** Somebody but the bot has put labels on the issue, or has taken some away. */
  byOthers: boolean;
  /** What somebody but the bot has taken away, in lower case; it is never put there again. */
  removed: ReadonlySet<string>;
}

/** Who has had a hand in an issue's labels. */
export function handsOn(
  changes: readonly LabelChange[],
  issue: { author: { id: number }; createdAt: string },
  bot: { id: number },
): Hands {
  const others = changes.filter(({ actor }) => actor.id !== bot.id);
  const openedAt = Date.parse(issue.createdAt);
  const chosen = others.filter(
    ({ kind, actor, at }) =>
      kind === "removed" ||
      actor.id !== issue.author.id ||
      Date.parse(at) - openedAt > AT_OPENING_MS,
  );
  return {
    byOthers: chosen.length > 0,
    removed: new Set(
      others.flatMap(({ kind, label }) => (kind === "removed" ? [label.toLowerCase()] : [])),
    ),
  };
}
