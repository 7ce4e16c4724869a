/** What people can ask of the bot by one word. `work`: they said it in their own words. */
export const COMMANDS = [
  "help",
  "plan",
  "go",
  "review",
  "fix",
  "label",
  "stop",
  "retry",
  "status",
  "approve",
  "deny",
] as const;
export type Command = (typeof COMMANDS)[number] | "work";

/** Reads what stands behind the bot's name. `length`: how much of it the command takes, its punctuation included. */
export function commandOf(rest: string): { command: Command; length: number } {
  const match = /^[\s,:*_~]*(?:please[\s,]+)?([a-z]+)(?!_?[a-z0-9])[*_~]*[\s,.:;!?]*/i.exec(rest);
  const word = match?.[1]?.toLowerCase();
  const command = COMMANDS.find((one) => one === word);
  if (match === null || command === undefined) return { command: "work", length: 0 };
  // "help me with …", "go through …": words of a sentence, and no command.
  if (command === "approve" && !ANSWER.test(rest)) return { command: "work", length: 0 };
  const isAlone = /^[\s,:*_~]*(?:please[\s,]+)?[a-z]+[*_~]*\s*(?:$|[\n,.:;!?])/i.test(rest);
  if (SENTENCE_WORDS.has(command) && !isAlone) return { command: "work", length: 0 };
  return { command, length: match[0].length };
}

/** "approve the pull request" is a sentence; nothing is allowed by one. */
const ANSWER =
  /^[\s,:]*(?:please[\s,]+)?approve(?:[\s,:]+`?[0-9a-f]{8}(?![0-9a-z])|[\s.!]*(?:$|\n))/i;

/** These take nothing behind them, so what has more is a sentence. */
const SENTENCE_WORDS = new Set<Command>(["help", "go", "label", "stop", "retry", "status"]);
