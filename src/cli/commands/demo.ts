import type { Command } from "commander";
import type { DemoOptions } from "../demo.ts";

export function addDemo(program: Command): void {
  program
    .command("demo")
    .description("show the main job on this machine, without any account; in a checkout")
    .option("--github", "the bot, on a GitHub of the demo's own")
    .option("--orchestrate", "one request, split over several sessions")
    .option("--real", "ask the real model; needs ANTHROPIC_API_KEY")
    .option("--runtime <name>", "what makes sandboxes: process, bubblewrap or docker")
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import("../demo.ts");
      await runDemo(options);
    });
}
