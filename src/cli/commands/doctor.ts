import type { Command } from "commander";
import { DIR } from "./options.ts";

interface DoctorOptions {
  dir?: string;
  runtime?: string;
  json?: boolean;
  online?: boolean;
  reach?: string[];
}

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("say what is wrong with this installation, and what mends it")
    .option(...DIR)
    .option("--runtime <name>", "what makes sandboxes (CLAUDE_HUB_RUNTIME)")
    .option("--json", "print the findings as JSON")
    .option("--online", "try the model with one small call, and ask GitHub")
    .option(
      "--reach <host:port...>",
      "what a sandbox must not reach, in place of 1.1.1.1:443 and 169.254.169.254:80",
    )
    .action(async ({ dir, runtime, json, online, reach }: DoctorOptions) => {
      const { runDoctor } = await import("../doctor.ts");
      await runDoctor(
        { CLAUDE_HUB_DIR: dir, CLAUDE_HUB_RUNTIME: runtime },
        { json: json === true, online: online === true, reach: reach ?? [] },
      );
    });
}
