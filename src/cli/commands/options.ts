import { InvalidArgumentError } from "commander";
import type { Command } from "commander";

export const DIR = ["--dir <path>", "data directory (CLAUDE_HUB_DIR)"] as const;

/** Which hub is meant. */
export interface ConnectionOptions {
  url?: string;
  profile?: string;
  dir?: string;
}

export const WHICH_HUB = "Which hub:";

/** For commands that speak to a hub. */
export function withConnection(command: Command): Command {
  return command
    .optionsGroup(WHICH_HUB)
    .option("--url <url>", "address of the hub (CLAUDE_HUB_URL)")
    .option("--profile <name>", "a hub that was logged in to (CLAUDE_HUB_PROFILE)")
    .option("--dir <path>", "data directory of a hub on this machine (CLAUDE_HUB_DIR)");
}

/** A whole number that is at least so large. */
export function wholeFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < min)
      throw new InvalidArgumentError(`It must be a whole number from ${min}.`);
    return value;
  };
}
