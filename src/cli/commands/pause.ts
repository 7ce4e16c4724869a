import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface PauseOptions extends ConnectionOptions {
  json?: boolean;
}

export function addPause(program: Command): void {
  const pause = program
    .command("pause")
    .description("have a session's agent wait; it keeps its sandbox, and its time does not pass")
    .argument("<id>", "a session's id, or its beginning")
    .option("--json", "print what the API answers");
  withConnection(pause).action(async (id: string, options: PauseOptions) => {
    const { pauseSession } = await import("../sessions/pause.ts");
    await pauseSession(id, options);
  });
  const resume = program
    .command("resume")
    .description("have a paused session go on")
    .argument("<id>", "a session's id, or its beginning")
    .option("--json", "print what the API answers");
  withConnection(resume).action(async (id: string, options: PauseOptions) => {
    const { resumeSession } = await import("../sessions/pause.ts");
    await resumeSession(id, options);
  });
}
