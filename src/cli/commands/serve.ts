import type { Command } from "commander";
import { DIR } from "./options.ts";

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("run the hub in the foreground")
    .option("--host <address>", "address to listen on (HOST)")
    .option("--port <number>", "port to listen on (PORT)")
    .option(...DIR)
    .option("--runtime <name>", "what makes sandboxes (CLAUDE_HUB_RUNTIME)")
    .action(async (options: Record<string, string | undefined>) => {
      const { serve } = await import("../serve.ts");
      await serve({
        HOST: options["host"],
        PORT: options["port"],
        CLAUDE_HUB_DIR: options["dir"],
        CLAUDE_HUB_RUNTIME: options["runtime"],
      });
    });
}
