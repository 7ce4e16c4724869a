import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface ContinueOptions extends ConnectionOptions {
  follow?: boolean;
  json?: boolean;
}

export function addContinue(program: Command): void {
  const command = program
    .command("continue")
    .description(
      "go on with a session's conversation and branch, in a new session, once it has ended",
    )
    .argument("<id>", "a session's id, or its beginning")
    .argument("<prompt>", "what is to be done now")
    .option("-f, --follow", "show the new session's log, and wait for its end")
    .option("--json", "print the new session as JSON; with --follow one event a line");
  withConnection(command).action(async (id: string, prompt: string, options: ContinueOptions) => {
    const { continueSession } = await import("../sessions/continue.ts");
    await continueSession(id, prompt, options);
  });
}
