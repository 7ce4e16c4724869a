import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface LogsOptions extends ConnectionOptions {
  follow?: boolean;
  /** Infinity: all. */
  tail: number;
  json?: boolean;
}

export function addLogs(program: Command): void {
  const command = program
    .command("logs")
    .description("show a session's log")
    .argument("<id>", "a session's id, or its beginning")
    .option("-f, --follow", "go on while it grows, to the end of the session")
    .option("-t, --tail <number>", "its last entries, or `all`", tailOf, 100)
    .option("--json", "one event a line, as JSON");
  withConnection(command).action(async (id: string, options: LogsOptions) => {
    const { logs } = await import("../sessions/logs.ts");
    await logs(id, options);
  });
}

function tailOf(text: string): number {
  if (text === "all") return Infinity;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, or `all`.");
}
