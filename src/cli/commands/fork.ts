import type { Command } from "commander";
import { wholeFrom, withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface ForkOptions extends ConnectionOptions {
  at?: number;
  model?: string;
  follow?: boolean;
  json?: boolean;
}

const FOLLOW = ["-f, --follow", "show the new session's log, and wait for its end"] as const;
const JSON_OPTION = [
  "--json",
  "print the new session as JSON; with --follow one event a line",
] as const;

export function addFork(program: Command): void {
  const fork = program
    .command("fork")
    .description("go another way from a moment of a session that has ended, in a new session")
    .argument("<id>", "a session's id, or its beginning")
    .argument("<prompt>", "what is to be done now")
    .option("--at <seq>", "the event up to which it knows the conversation", wholeFrom(1))
    .option(...FOLLOW)
    .option(...JSON_OPTION);
  withConnection(fork).action(async (id: string, prompt: string, options: ForkOptions) => {
    const { forkSession } = await import("../sessions/fork.ts");
    await forkSession(id, prompt, options);
  });
  const retry = program
    .command("retry")
    .description("do a session's task once more from its beginning, in a new session")
    .argument("<id>", "a session's id, or its beginning")
    .option("--model <name>", "another model than before")
    .option(...FOLLOW)
    .option(...JSON_OPTION);
  withConnection(retry).action(async (id: string, options: ForkOptions) => {
    const { retrySession } = await import("../sessions/fork.ts");
    await retrySession(id, options);
  });
}
