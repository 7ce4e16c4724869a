import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export function addMcp(program: Command): void {
  const command = program
    .command("mcp")
    .description("give an agent the hub's tools, by standard input and output")
    .addHelpText(
      "after",
      "\nAdded to Claude Code by: claude mcp add hub -- claude-hub mcp (docs/mcp.md)",
    );
  withConnection(command).action(async (options: ConnectionOptions) => {
    const { runMcp } = await import("../connection/mcp.ts");
    await runMcp(options);
  });
}
