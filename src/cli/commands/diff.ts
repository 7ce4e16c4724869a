import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface DiffOptions extends ConnectionOptions {
  json?: boolean;
}

export function addDiff(program: Command): void {
  const command = program
    .command("diff")
    .description("show what a session has changed, once it has ended")
    .argument("<id>", "a session's id, or its beginning")
    .option("--json", "print it as a string in JSON");
  withConnection(command).action(async (id: string, options: DiffOptions) => {
    const { diff } = await import("../sessions/diff.ts");
    await diff(id, options);
  });
}
