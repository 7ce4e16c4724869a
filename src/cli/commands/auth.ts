import type { Command } from "commander";
import { DIR } from "./options.ts";

interface DirOption {
  dir?: string;
}

export function addAuth(program: Command): void {
  const auth = program
    .command("auth")
    .description("set up how agents reach their model, and try it")
    .argument("[way]", "api-key, bedrock, vertex or subscription; asked for when it is missing")
    .option(...DIR)
    .action(async (way: string | undefined, { dir }: DirOption) => {
      const { setUp } = await import("../auth/auth.ts");
      await setUp({ CLAUDE_HUB_DIR: dir }, way);
    });
  auth
    .command("status")
    .description("say which way is configured")
    .option(...DIR)
    .action(async (_options: DirOption, command: Command) => {
      const { showStatus } = await import("../auth/auth.ts");
      await showStatus({ CLAUDE_HUB_DIR: command.optsWithGlobals<DirOption>().dir });
    });
  auth
    .command("test")
    .description("try the way that is configured with one small call")
    .option(...DIR)
    .action(async (_options: DirOption, command: Command) => {
      const { tryConfigured } = await import("../auth/auth.ts");
      await tryConfigured({ CLAUDE_HUB_DIR: command.optsWithGlobals<DirOption>().dir });
    });
}
