import type { Command } from "commander";
import { DIR } from "./options.ts";

export function addEngineProxy(program: Command): void {
  program
    .command("engine-proxy")
    .description("stand between the hub and the container engine, and let pass what the hub needs")
    .option("--listen <socket>", "where the hub connects (CLAUDE_HUB_PROXY_LISTEN)")
    .option("--engine <socket>", "the engine's own socket (CLAUDE_HUB_PROXY_ENGINE)")
    .option(...DIR)
    .action(async (options: Record<string, string | undefined>) => {
      const { runEngineProxy } = await import("../engine-proxy.ts");
      await runEngineProxy({
        CLAUDE_HUB_PROXY_LISTEN: options["listen"],
        CLAUDE_HUB_PROXY_ENGINE: options["engine"],
        CLAUDE_HUB_DIR: options["dir"],
      });
    });
}
