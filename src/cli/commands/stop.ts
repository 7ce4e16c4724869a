import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface StopOptions extends ConnectionOptions {
  force?: boolean;
  remove?: boolean;
  wait?: boolean;
  json?: boolean;
}

export function addStop(program: Command): void {
  const command = program
    .command("stop")
    .description("cancel sessions, and what depends on them")
    .argument("<id...>", "ids, or their beginnings; `all`: whatever waits or runs")
    .option("--wait", "wait until they have ended")
    .option("-f, --force", "changes nothing: what does not end by itself is killed anyway")
    .option("--remove", "changes nothing: the hub removes what is old (CLAUDE_HUB_RETENTION_DAYS)")
    .option("--json", "print the sessions as JSON");
  withConnection(command).action(async (ids: string[], options: StopOptions) => {
    const { stop } = await import("../sessions/stop.ts");
    await stop(ids, options);
  });
}
