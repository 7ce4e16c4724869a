import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface ShowOptions extends ConnectionOptions {
  json?: boolean;
}

export function addShow(program: Command): void {
  const command = program
    .command("show")
    .description("show a session: what it is, how it stands, what it has made")
    .argument("<id>", "a session's id, or its beginning")
    .option("--json", "print it as JSON");
  withConnection(command).action(async (id: string, options: ShowOptions) => {
    const { show } = await import("../sessions/show.ts");
    await show(id, options);
  });
}
