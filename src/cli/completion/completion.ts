import type { Command } from "commander";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

/** What may be said at one place of the command line. */
export interface Place {
  /** Names of commands that lead there, such as `auth status`; empty: the beginning. */
  path: string;
  commands: { name: string; description: string }[];
  options: {
    short: string | null;
    long: string;
    description: string;
    choices: string[];
    takes: boolean;
  }[];
  /** What its first argument may be. */
  choices: string[];
  /** Whether an argument may be a file. */
  files: boolean;
}

/** @param shell bash, zsh or fish */
export function completionFor(shell: string, program: Command): string {
  const places = placesOf(program, "");
  if (shell === "fish") return fishCompletion(places);
  return shell === "zsh" ? zshCompletion(places) : bashCompletion(places);
}

function placesOf(command: Command, path: string): Place[] {
  const here: Place = {
    path,
    commands: command.commands.flatMap((one) =>
      [one.name(), ...one.aliases()].map((name) => ({ name, description: one.description() })),
    ),
    options: command.options.flatMap((option) =>
      option.long === undefined
        ? []
        : [
            {
              short: option.short ?? null,
              long: option.long,
              description: option.description,
              choices: option.argChoices ?? [],
              takes: option.required || option.optional,
            },
          ],
    ),
    choices: command.registeredArguments[0]?.argChoices ?? [],
    files: command.registeredArguments.some((argument) => argument.name() === "file"),
  };
  const below = command.commands.flatMap((one) =>
    [one.name(), ...one.aliases()].flatMap((name) => placesOf(one, `${path} ${name}`.trim())),
  );
  return [here, ...below];
}
