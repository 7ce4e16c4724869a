import { Command } from "commander";

/** Reads the command line and does what it says. */
export async function run(argv: string[]): Promise<void> {
  const program = new Command("claude-hub").description(
    "A self-hosted control plane for coding-agent sessions.",
  );
  program
    .command("serve")
    .description("run the hub in the foreground")
    .option("--host <address>", "address to listen on (HOST)")
    .option("--port <number>", "port to listen on (PORT)")
    .option("--dir <path>", "data directory (CLAUDE_HUB_DIR)")
    .option("--runtime <name>", "what makes sandboxes (CLAUDE_HUB_RUNTIME)")
    .action(async (options: Record<string, string | undefined>) => {
      const { serve } = await import("./serve.ts");
      await serve({
        HOST: options["host"],
        PORT: options["port"],
        CLAUDE_HUB_DIR: options["dir"],
        CLAUDE_HUB_RUNTIME: options["runtime"],
      });
    });
  await program.parseAsync(argv);
}
